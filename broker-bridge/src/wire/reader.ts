import { isUtf8 } from 'node:buffer'
import { MeshError } from '@weft/schemas/error'

/** A tagged field as it stands on the wire (KIP-482): kept even where nobody here knows its number. */
export interface Tag {
  readonly tag: number
  readonly bytes: Buffer
}

export const NO_TAGS: readonly Tag[] = []

/** The one error of this folder: bytes that are not what the protocol says. The connection is out of step after it. */
export const malformed = (expected: string): MeshError =>
  new MeshError('invalid_request', `malformed Kafka message: expected ${expected}`)

/** Kafka's own limit, compact strings included. */
const MAX_STRING_BYTES = 0x7fff
/** Elements of a request's arrays, all together: no client sends as many, and each becomes an object of 100 bytes and more. */
const MAX_REQUEST_ELEMENTS = 250_000

/** Reads the primitive types of the Kafka protocol from a part of a buffer. Every method throws `invalid_request` on bad bytes. */
export class Reader {
  readonly buffer: Buffer
  readonly end: number
  at: number
  /** Elements that arrays and tagged fields may still have. */
  elements = Number.POSITIVE_INFINITY

  constructor(buffer: Buffer, at = 0, end = buffer.length) {
    this.buffer = buffer
    this.at = at
    this.end = end
  }

  /** A reader of what a client sent: the size of what is made from it is bounded. */
  static ofRequest(frame: Buffer, at: number): Reader {
    const reader = new Reader(frame, at)
    reader.elements = MAX_REQUEST_ELEMENTS
    return reader
  }

  /** Moves over `length` bytes and returns where they start. */
  skip(length: number): number {
    const start = this.at
    if (length < 0 || length > this.end - start)
      throw malformed(`${length} more bytes, ${this.end - start} are left`)
    this.at = start + length
    return start
  }

  int8(): number {
    return this.buffer.readInt8(this.skip(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.skip(2))
  }

  uint16(): number {
    return this.buffer.readUInt16BE(this.skip(2))
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.skip(8))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.skip(4))
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.skip(8))
  }

  /** 16 bytes. */
  uuid(): Buffer {
    const start = this.skip(16)
    // Kept for longer than the frame, whose memory is used again.
    return Buffer.from(this.buffer.subarray(start, start + 16))
  }

  /** An offset as a number: exact up to 2^53, far beyond any log. */
  offset(): number {
    const start = this.skip(8)
    return this.buffer.readInt32BE(start) * 0x1_0000_0000 + this.buffer.readUInt32BE(start + 4)
  }

  /** Base 128, at most five bytes, up to 2^32 - 1. */
  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.skip(1)] ?? 0
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw malformed('a varint of 32 bits')
  }

  varint(): number {
    const raw = this.unsignedVarint()
    return (raw >>> 1) ^ -(raw & 1)
  }

  varlong(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.buffer[this.skip(1)] ?? 0
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    }
    throw malformed('a varint of 64 bits')
  }

  /** Length of a string (int16), of bytes or of an array (int32), or compact (varint, one more); -1 is null. */
  length(flexible: boolean, width: 2 | 4): number {
    if (flexible) return this.unsignedVarint() - 1
    const length = width === 2 ? this.int16() : this.int32()
    if (length < -1) throw malformed('a length of -1 or more')
    return length
  }

  nullableString(flexible: boolean): string | null {
    const length = this.length(flexible, 2)
    if (length === -1) return null
    if (length > MAX_STRING_BYTES) throw malformed(`a string of at most ${MAX_STRING_BYTES} bytes`)
    const start = this.skip(length)
    const text = this.buffer.toString('utf8', start, start + length)
    // Two readers could replace bad bytes differently: a name that is judged must be the name that the broker sees.
    if (text.includes('\uFFFD') && !isUtf8(this.buffer.subarray(start, start + length)))
      throw malformed('UTF-8')
    return text
  }

  string(flexible: boolean): string {
    const text = this.nullableString(flexible)
    if (text === null) throw malformed('a string, null came')
    return text
  }

  /** A view, no copy. */
  nullableBytes(flexible: boolean): Buffer | null {
    const length = this.length(flexible, 4)
    if (length === -1) return null
    const start = this.skip(length)
    return this.buffer.subarray(start, start + length)
  }

  /** Number of elements, -1 for null. Every element takes a byte at least: a count beyond that is a lie, and costs nothing. */
  count(flexible: boolean): number {
    const count = this.length(flexible, 4)
    this.#takeElements(count)
    return count
  }

  #takeElements(count: number): void {
    const most = Math.min(this.end - this.at, this.elements)
    if (count > most) throw malformed(`at most ${most} elements, not ${count}`)
    this.elements -= Math.max(0, count)
  }

  tags(): readonly Tag[] {
    const count = this.unsignedVarint()
    if (count === 0) return NO_TAGS
    this.#takeElements(count)
    const tags: Tag[] = []
    for (let i = 0; i < count; i++) {
      const tag = this.unsignedVarint()
      const length = this.unsignedVarint()
      const start = this.skip(length)
      tags.push({ tag, bytes: this.buffer.subarray(start, start + length) })
    }
    return tags
  }

  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint()
      this.skip(this.unsignedVarint())
    }
  }
}
