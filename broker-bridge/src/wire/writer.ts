import type { Tag } from './reader.ts'

const FIRST_CAPACITY = 256

/** Bytes that `unsignedVarint` takes. */
export const unsignedVarintSize = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5

export const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0

/** Writes at a place in a buffer and returns the place after it; the caller made room. */
export function putUnsignedVarint(buffer: Buffer, at: number, value: number): number {
  let rest = value
  while (rest >= 0x80) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[at++] = rest
  return at
}

/** Writes the primitive types of the Kafka protocol into a buffer that grows. */
export class Writer {
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY)
  #at = 0

  /** What has been written; valid until the next write. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  /** What has been written, as a frame: its own first four bytes, left free by the caller, become the length of the rest. */
  frame(): Buffer {
    this.#buffer.writeInt32BE(this.#at - 4, 0)
    return this.bytes()
  }

  #room(length: number): number {
    const start = this.#at
    const needed = start + length
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, start)
      this.#buffer = larger
    }
    this.#at = needed
    return start
  }

  int8(value: number): void {
    const at = this.#room(1)
    this.#buffer.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#room(2)
    this.#buffer.writeInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#room(4)
    this.#buffer.writeInt32BE(value, at)
  }

  int64(value: bigint): void {
    const at = this.#room(8)
    this.#buffer.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    const at = this.#room(8)
    this.#buffer.writeDoubleBE(value, at)
  }

  unsignedVarint(value: number): void {
    const at = this.#room(unsignedVarintSize(value))
    putUnsignedVarint(this.#buffer, at, value)
  }

  varint(value: number): void {
    this.unsignedVarint(zigzag(value))
  }

  varlong(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    for (; rest >= 0x80n; rest >>= 7n) this.int8(Number(BigInt.asIntN(8, (rest & 0x7fn) | 0x80n)))
    this.int8(Number(rest))
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length)
    this.#buffer.set(bytes, at)
  }

  /** See Reader.length. */
  length(value: number, flexible: boolean, width: 2 | 4): void {
    if (flexible) this.unsignedVarint(value + 1)
    else if (width === 2) this.int16(value)
    else this.int32(value)
  }

  nullableString(value: string | null, flexible: boolean): void {
    if (value === null) {
      this.length(-1, flexible, 2)
      return
    }
    const length = Buffer.byteLength(value)
    this.length(length, flexible, 2)
    const at = this.#room(length)
    this.#buffer.write(value, at, 'utf8')
  }

  nullableBytes(value: Uint8Array | null, flexible: boolean): void {
    this.length(value === null ? -1 : value.length, flexible, 4)
    if (value !== null) this.raw(value)
  }

  tags(tags: readonly Tag[]): void {
    this.unsignedVarint(tags.length)
    for (const { tag, bytes } of tags) {
      this.unsignedVarint(tag)
      this.unsignedVarint(bytes.length)
      this.raw(bytes)
    }
  }
}
