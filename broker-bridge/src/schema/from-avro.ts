/**
 * Avro's binary encoding to JSON (Avro 1.12, "Binary Encoding"), in its plain form: unions as the values that are in them, bytes as texts of the
 * characters U+0000 to U+00FF. Reads what anybody may have written: nothing is made of a length or count before the bytes for it are there.
 */
import type { Type } from '@weft/schemas/event-schema'
import { nameOf, partsOf, shapeOf } from './avro-parts.ts'

const MAX_DEPTH = 200
/** Of items that take no bytes: a count alone must not fill the memory. */
const MAX_EMPTY_ITEMS = 10_000
const MAX_VARINT_BYTES = 10n

/** Throws Error that says where the bytes do not fit the type. Longs beyond what a double holds are bigint. */
export function fromAvro(type: Type, bytes: Buffer): unknown {
  const reading = new Reading(bytes)
  const value = reading.read(type, 0)
  if (reading.left > 0)
    throw new Error(`expected the end of the ${nameOf(type)}, ${reading.left} more bytes came`)
  return value
}

class Reading {
  readonly #bytes: Buffer
  #at = 0
  #emptyItems = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  read(type: Type, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new Error(`expected values nested at most ${MAX_DEPTH} deep`)
    switch (shapeOf(type)) {
      case 'null':
        return null
      case 'boolean':
        return this.#boolean()
      case 'int':
        return this.#int()
      case 'abstract:long':
        return near(this.#varint())
      case 'float':
        return this.#take(4).readFloatLE()
      case 'double':
        return this.#take(8).readDoubleLE()
      case 'string':
        return utf8(this.#take(this.#length()))
      case 'bytes':
        return this.#take(this.#length()).toString('latin1')
      case 'fixed':
        return this.#take(partsOf(type).size).toString('latin1')
      case 'enum':
        return this.#oneOf(partsOf(type).symbols)
      case 'union:wrapped':
        return this.read(this.#oneOf(partsOf(type).types), depth + 1)
      case 'array':
        return this.#array(partsOf(type).itemsType, depth)
      case 'map':
        return this.#map(partsOf(type).valuesType, depth)
      case 'record':
      case 'error':
        return this.#record(type, depth)
      default:
        throw new Error(`expected a type that Avro has, came ${nameOf(type)}`)
    }
  }

  #record(type: Type, depth: number): unknown {
    const value = Object.create(null) as Record<string, unknown>
    for (const field of partsOf(type).fields) value[field.name] = this.read(field.type, depth + 1)
    return value
  }

  #array(items: Type, depth: number): readonly unknown[] {
    const value: unknown[] = []
    for (let count = this.#count(); count > 0; count = this.#count())
      for (; count > 0; count--) value.push(this.#item(items, depth))
    return value
  }

  #map(values: Type, depth: number): unknown {
    const value = Object.create(null) as Record<string, unknown>
    for (let count = this.#count(); count > 0; count = this.#count())
      for (; count > 0; count--) value[utf8(this.#take(this.#length()))] = this.#item(values, depth)
    return value
  }

  #item(type: Type, depth: number): unknown {
    const before = this.#at
    const value = this.read(type, depth + 1)
    if (this.#at === before && ++this.#emptyItems > MAX_EMPTY_ITEMS)
      throw new Error(`expected at most ${MAX_EMPTY_ITEMS} items without content`)
    return value
  }

  /** Of the items of a block; a negative one is followed by the bytes that they take. */
  #count(): number {
    const count = Number(this.#varint())
    if (count >= 0) return count
    this.#varint()
    return -count
  }

  #length(): number {
    const length = Number(this.#varint())
    if (length < 0 || length > this.left) throw new Error(`expected ${length} bytes, there are ${this.left}`)
    return length
  }

  #oneOf<T>(choices: readonly T[]): T {
    const index = Number(this.#varint())
    const choice = choices[index]
    if (choice === undefined)
      throw new Error(`expected a choice from 0 to ${choices.length - 1}, came ${index}`)
    return choice
  }

  #boolean(): boolean {
    const byte = this.#take(1)[0] ?? 2
    if (byte > 1) throw new Error(`expected 0 or 1 for a boolean, came ${byte}`)
    return byte === 1
  }

  #int(): number {
    const value = this.#varint()
    if (value !== BigInt.asIntN(32, value)) throw new Error(`expected an int, came ${value}`)
    return Number(value)
  }

  /** Zig-zag, variable length. */
  #varint(): bigint {
    // Most are small: those need no bigint but for the answer.
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt((low >>> 1) ^ -(low & 1))
    }
    let value = BigInt(low)
    for (let index = 4n; index < MAX_VARINT_BYTES; index++) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << (7n * index)
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    }
    throw new Error('expected a number of at most ten bytes')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new Error('expected more bytes')
    return byte
  }

  #take(count: number): Buffer {
    if (count > this.left) throw new Error(`expected ${count} bytes, there are ${this.left}`)
    const taken = this.#bytes.subarray(this.#at, this.#at + count)
    this.#at += count
    return taken
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf8 = (bytes: Buffer): string => UTF8.decode(bytes)

function near(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
