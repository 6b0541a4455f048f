/** 32-bit hashes of text: FNV-1a, and MurmurHash3's finaliser, which makes every bit of the result depend on every bit of it. */
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

export function hashText(text: string): number {
  let hash = FNV_OFFSET
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME)
  return mix(hash)
}

/** Another number for each number: 0 to 2^32 - 1. */
export function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
