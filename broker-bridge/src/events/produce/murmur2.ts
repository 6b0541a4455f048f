const SEED = 0x9747b28c
const MIX = 0x5bd1e995

/**
 * The hash that Kafka's own producers choose a key's partition by (org.apache.kafka.common.utils.Utils.murmur2: Austin Appleby's
 * MurmurHash2, 32 bits, little-endian). Returns a signed 32-bit number.
 */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  let hash = SEED ^ length
  let at = 0
  for (; at + 4 <= length; at += 4) {
    let word = Math.imul(wordAt(bytes, at), MIX)
    word ^= word >>> 24
    hash = Math.imul(hash, MIX) ^ Math.imul(word, MIX)
  }
  if (at < length) {
    for (let rest = length - 1; rest >= at; rest--) hash ^= (bytes[rest] as number) << (8 * (rest - at))
    hash = Math.imul(hash, MIX)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, MIX)
  return hash ^ (hash >>> 15)
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)
