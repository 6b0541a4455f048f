/**
 * Header blocks to fields (RFC 7541). Bytes are judged where they are in hand anyway, when a literal is read, and the
 * verdict goes into the table with the field: what comes by index costs no look at its characters.
 */
import { FIELD_VALUE, SPACE, TAB, TOKEN } from '../../characters.ts'
import { hashStep, KIND, knownName } from '../../names.ts'
import { ConnectionError, ERROR_CODE } from '../protocol.ts'
import { decodeHuffman, maxDecodedBytes } from './huffman.ts'
import {
  DEFAULT_TABLE_BYTES,
  DYNAMIC_START,
  ENTRY_OVERHEAD_BYTES,
  pseudoKindOf,
  STATIC_KINDS,
  STATIC_NAMES,
  STATIC_VALUES,
} from './static-table.ts'

/** The kind of a field with a byte in name or value that may not stand there. */
export const MALFORMED = 31

export interface FieldSink {
  /** One field in its order. `kind`: KIND of names.ts, PSEUDO, or MALFORMED. */
  onField(name: string, value: string, kind: number): void
  /** The field before this call is one that its sender wants in no table on the way (RFC 7541, section 6.2.3). */
  onNeverIndexed(name: string): void
}

/** As many entries as fit into a table when all are empty; a power of two, so that places wrap by a mask. */
const RING = DEFAULT_TABLE_BYTES / ENTRY_OVERHEAD_BYTES
/** Four bytes of continuation: 2^28 is beyond every block that is let in. */
const MAX_INTEGER_SHIFT = 21

const badBlock = (message: string): ConnectionError => new ConnectionError(ERROR_CODE.compression, message)

/** Where Huffman strings are decoded to; each is copied out before the next one. */
let scratch: Buffer = Buffer.alloc(4096)

export class HpackDecoder {
  readonly #names = new Array<string>(RING).fill('')
  readonly #values = new Array<string>(RING).fill('')
  readonly #kinds = new Array<number>(RING).fill(KIND.ordinary)
  /** Place of the next entry; it counts on, and wraps by a mask. */
  #inserted = 0
  #count = 0
  #bytes = 0
  #maxBytes = DEFAULT_TABLE_BYTES
  // Of the block that is being read:
  #buffer: Buffer = scratch
  #at = 0
  #end = 0
  /** Bytes of the string that was read last, here or in `scratch`. */
  #source: Buffer = scratch
  #from = 0
  #to = 0
  #kind: number = KIND.ordinary
  #isFit = true

  /** Reads the whole block [from, to) of the buffer. Throws ConnectionError: what comes after it could not be read. */
  decode(buffer: Buffer, from: number, to: number, sink: FieldSink): void {
    this.#buffer = buffer
    this.#at = from
    this.#end = to
    let isAtStart = true
    while (this.#at < to) {
      const first = buffer[this.#at] as number
      if ((first & 0xe0) === 0x20) {
        if (!isAtStart) throw badBlock('expected a change of the table size before all fields')
        this.#resize(this.#integer(0x1f))
        continue
      }
      isAtStart = false
      if (first >= 0x80) this.#indexed(sink)
      else if (first >= 0x40) this.#literal(0x3f, sink, true)
      else {
        const name = this.#literal(0x0f, sink, false)
        if (first >= 0x10) sink.onNeverIndexed(name)
      }
    }
  }

  #indexed(sink: FieldSink): void {
    const index = this.#integer(0x7f)
    if (index < DYNAMIC_START) {
      if (index === 0) throw badBlock('expected an index from 1; 0 came')
      sink.onField(
        STATIC_NAMES[index] as string,
        STATIC_VALUES[index] as string,
        STATIC_KINDS[index] as number,
      )
      return
    }
    const place = this.#place(index)
    sink.onField(this.#names[place] as string, this.#values[place] as string, this.#kinds[place] as number)
  }

  #literal(mask: number, sink: FieldSink, isIndexed: boolean): string {
    const name = this.#name(this.#integer(mask))
    const value = this.#value()
    const kind = this.#isFit ? this.#kind : MALFORMED
    if (isIndexed) this.#insert(name, value, kind)
    sink.onField(name, value, kind)
    return name
  }

  #place(index: number): number {
    const age = index - DYNAMIC_START
    if (age >= this.#count) throw badBlock(`expected an index of the table; ${index} came`)
    return (this.#inserted - 1 - age) & (RING - 1)
  }

  #name(index: number): string {
    if (index === 0) return this.#literalName()
    if (index < DYNAMIC_START) {
      this.#kind = STATIC_KINDS[index] as number
      return STATIC_NAMES[index] as string
    }
    const place = this.#place(index)
    const name = this.#names[place] as string
    // The entry's own value may be what was malformed about it: a name alone is judged by its name alone.
    this.#kind = this.#kinds[place] as number
    if (this.#kind === MALFORMED) this.#kind = kindOfText(name)
    return name
  }

  #literalName(): string {
    this.#string()
    const source = this.#source
    const from = this.#from
    const to = this.#to
    if (source[from] === COLON_BYTE) {
      const name = source.toString('latin1', from, to)
      this.#kind = pseudoKindOf(name)
      return name
    }
    let hash = 0
    let at = from
    for (; at < to; at++) {
      const byte = source[at] as number
      if (TOKEN[byte] !== byte) break
      hash = hashStep(hash, byte)
    }
    if (at < to || from === to) {
      this.#kind = MALFORMED
      return source.toString('latin1', from, to)
    }
    const known = knownName(source, from, to, hash)
    this.#kind = known === undefined ? KIND.ordinary : known.kind
    return known === undefined ? source.toString('latin1', from, to) : known.text
  }

  #value(): string {
    this.#string()
    const source = this.#source
    const from = this.#from
    const to = this.#to
    let at = from
    while (at < to && FIELD_VALUE[source[at] as number] === 1) at++
    // RFC 9113, section 8.2.1: white space at either end is read away by some and kept by others.
    this.#isFit = at === to && (from === to || (!isSpace(source[from]) && !isSpace(source[to - 1])))
    return from === to ? '' : source.toString('latin1', from, to)
  }

  #string(): void {
    if (this.#at >= this.#end) throw badBlock('expected a string; the block ended')
    const isHuffman = (this.#buffer[this.#at] as number) >= 0x80
    const length = this.#integer(0x7f)
    const from = this.#at
    const to = from + length
    if (to > this.#end) throw badBlock('expected the whole of a string; the block ended')
    this.#at = to
    if (!isHuffman) {
      this.#source = this.#buffer
      this.#from = from
      this.#to = to
      return
    }
    const room = maxDecodedBytes(length)
    if (scratch.length < room) scratch = Buffer.alloc(room)
    const decoded = decodeHuffman(scratch, this.#buffer, { from, to })
    if (decoded === -1) throw badBlock('expected a string in the Huffman code of RFC 7541')
    this.#source = scratch
    this.#from = 0
    this.#to = decoded
  }

  /** An integer with a prefix (RFC 7541, section 5.1) at the place that has been reached. */
  #integer(mask: number): number {
    const buffer = this.#buffer
    let result = (buffer[this.#at++] as number) & mask
    if (result < mask) return result
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= this.#end || shift > MAX_INTEGER_SHIFT) throw badBlock('expected a shorter integer')
      const byte = buffer[this.#at++] as number
      result += (byte & 0x7f) << shift
      if (byte < 0x80) return result
    }
  }

  #resize(maxBytes: number): void {
    if (maxBytes > DEFAULT_TABLE_BYTES)
      throw badBlock(`expected a table of at most ${DEFAULT_TABLE_BYTES} bytes; ${maxBytes} came`)
    this.#maxBytes = maxBytes
    this.#evictTo(maxBytes)
  }

  #insert(name: string, value: string, kind: number): void {
    const size = name.length + value.length + ENTRY_OVERHEAD_BYTES
    this.#evictTo(this.#maxBytes - size)
    // RFC 7541, section 4.4: what is larger than the table empties it, and that is no error.
    if (size > this.#maxBytes) return
    const place = this.#inserted++ & (RING - 1)
    this.#names[place] = name
    this.#values[place] = value
    this.#kinds[place] = kind
    this.#count++
    this.#bytes += size
  }

  #evictTo(maxBytes: number): void {
    while (this.#count > 0 && this.#bytes > maxBytes) {
      const place = (this.#inserted - this.#count) & (RING - 1)
      this.#bytes -=
        (this.#names[place] as string).length + (this.#values[place] as string).length + ENTRY_OVERHEAD_BYTES
      this.#names[place] = ''
      this.#values[place] = ''
      this.#count--
    }
  }
}

const COLON_BYTE = 58
const isSpace = (byte: number | undefined): boolean => byte === SPACE || byte === TAB

function kindOfText(name: string): number {
  if (name.charCodeAt(0) === COLON_BYTE) return pseudoKindOf(name)
  const bytes = Buffer.from(name, 'latin1')
  let hash = 0
  for (const byte of bytes) {
    if (TOKEN[byte] !== byte) return MALFORMED
    hash = hashStep(hash, byte)
  }
  return name === '' ? MALFORMED : (knownName(bytes, 0, bytes.length, hash)?.kind ?? KIND.ordinary)
}
