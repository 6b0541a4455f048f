/**
 * Fields to header blocks (RFC 7541), written straight into the buffer that goes out. No Huffman code: on the hop between two
 * sidecars bytes are cheaper than the time to save them. What is put into the table has to earn its place: a name whose
 * values keep changing stops being indexed, and starts again when its values repeat.
 */
import {
  DEFAULT_TABLE_BYTES,
  DYNAMIC_START,
  ENTRY_OVERHEAD_BYTES,
  STATIC_NAMES,
  STATIC_VALUES,
} from './static-table.ts'

/** Ids, times and lengths are different each time; their names alone are worth an index. */
const CHANGING =
  'age content-length content-range date etag expires grpc-message grpc-timeout if-modified-since if-none-match last-modified location ' +
  'retry-after traceparent tracestate x-request-id'
/** Secrets go into no table on the way, where a guess could be told from its size (RFC 7541, section 7.1). */
const SECRET = 'authorization cookie proxy-authorization set-cookie x-api-key'

const POLICY = { indexed: 0, literal: 1, never: 2 } as const
const POLICIES: ReadonlyMap<string, number> = new Map([
  ...CHANGING.split(' ').map((name) => [name, POLICY.literal] as const),
  ...SECRET.split(' ').map((name) => [name, POLICY.never] as const),
])

/** Longer values would push out many others. */
const MAX_INDEXED_BYTES = 256
/** Values of one name that are looked for: methods, statuses, a few paths. */
const REMEMBERED_VALUES = 8
/** Beyond it names are made up by somebody: they are written out, and cost no memory. */
const MAX_NAMES = 256
const START_SCORE = 8
const MAX_SCORE = 16
/** Inserting costs what this many repeats bring. */
const INSERT_COST = 2
const RING = DEFAULT_TABLE_BYTES / ENTRY_OVERHEAD_BYTES

/** What the encoder knows of one name. */
class KnownName {
  readonly text: string
  readonly policy: number
  /** Index in the static table; 0: none. */
  readonly staticIndex: number
  readonly values: string[] = []
  /** For each value: its index in the static table, or minus the number of its insertion. */
  readonly places: number[] = []
  readonly #staticValues: number
  #next: number
  score = START_SCORE
  lastValue = ''
  /** Number of the newest insertion with this name. */
  inserted = 0

  constructor(text: string) {
    this.text = text
    this.policy = POLICIES.get(text) ?? POLICY.indexed
    this.staticIndex = Math.max(STATIC_NAMES.indexOf(text), 0)
    for (let index = this.staticIndex; index > 0 && STATIC_NAMES[index] === text; index++) {
      if (STATIC_VALUES[index] === '') continue
      this.values.push(STATIC_VALUES[index] as string)
      this.places.push(index)
    }
    this.#staticValues = this.values.length
    this.#next = this.#staticValues
  }

  /** In the place that it had, or in that of the one that was remembered longest ago. */
  remember(value: string, insertion: number): void {
    let at = this.values.indexOf(value)
    if (at === -1) {
      at = this.#next++
      if (this.#next === this.#staticValues + REMEMBERED_VALUES) this.#next = this.#staticValues
    }
    this.values[at] = value
    this.places[at] = -insertion
  }
}

export class HpackEncoder {
  readonly #names = new Map<string, KnownName>()
  readonly #sizes = new Uint16Array(RING)
  /** Insertions so far, and how many of them have left the table again. */
  #inserted = 0
  #evicted = 0
  #bytes = 0
  #maxBytes = DEFAULT_TABLE_BYTES
  /** Smallest and last limit that the other side does not know of yet; -1: it knows. */
  #smallestUntold = -1
  // Of the block that is being written:
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0

  /** The other side's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(bytes: number): void {
    const maxBytes = Math.min(bytes, DEFAULT_TABLE_BYTES)
    if (maxBytes === this.#maxBytes) return
    this.#smallestUntold = this.#smallestUntold === -1 ? maxBytes : Math.min(this.#smallestUntold, maxBytes)
    this.#maxBytes = maxBytes
    this.#evictTo(maxBytes)
  }

  /** Begins a block; the buffer has room for what `maxFieldBytes` says of its fields, and MAX_UPDATE_BYTES. */
  begin(buffer: Buffer, at: number): void {
    this.#buffer = buffer
    this.#at = at
    if (this.#smallestUntold === -1) return
    if (this.#smallestUntold < this.#maxBytes) this.#integer(this.#smallestUntold, 0x20, 0x1f)
    this.#integer(this.#maxBytes, 0x20, 0x1f)
    this.#smallestUntold = -1
  }

  /** Returns where the block has ended. */
  end(): number {
    return this.#at
  }

  field(text: string, value: string): void {
    const name = this.#names.get(text) ?? this.#newName(text)
    if (name === undefined) {
      this.#literal(0x00, 0x0f, 0, text, value)
      return
    }
    if (name.policy === POLICY.indexed) {
      const { values, places } = name
      for (let at = 0; at < values.length; at++) {
        if (values[at] !== value) continue
        const index = this.#indexOf(places[at] as number)
        if (index === 0) break
        if (name.score < MAX_SCORE) name.score++
        this.#integer(index, 0x80, 0x7f)
        return
      }
      if (this.#earnsPlace(name, value)) {
        this.#insert(name, value)
        return
      }
    }
    const nameIndex = this.#nameIndexOf(name)
    if (name.policy === POLICY.never) this.#literal(0x10, 0x0f, nameIndex, text, value)
    // The first of its kind goes in, so that all others can point to its name.
    else if (nameIndex === 0 && value.length < MAX_INDEXED_BYTES) this.#insert(name, value)
    else this.#literal(0x00, 0x0f, nameIndex, text, value)
  }

  /** A field that its sender wants in no table on the way. */
  neverIndexed(text: string, value: string): void {
    const staticIndex = this.#names.get(text)?.staticIndex ?? 0
    this.#literal(0x10, 0x0f, staticIndex, text, value)
  }

  #newName(text: string): KnownName | undefined {
    if (this.#names.size >= MAX_NAMES) return undefined
    const name = new KnownName(text)
    this.#names.set(text, name)
    return name
  }

  #earnsPlace(name: KnownName, value: string): boolean {
    if (value.length > MAX_INDEXED_BYTES) return false
    if (name.score >= INSERT_COST) {
      name.score -= INSERT_COST
      return true
    }
    if (name.lastValue === value) name.score++
    name.lastValue = value
    return false
  }

  /** The index of a place (see KnownName); 0 where it has left the table. */
  #indexOf(place: number): number {
    if (place > 0) return place
    const insertion = -place
    return insertion > this.#evicted ? DYNAMIC_START + this.#inserted - insertion : 0
  }

  #nameIndexOf(name: KnownName): number {
    return name.staticIndex === 0 ? this.#indexOf(-name.inserted) : name.staticIndex
  }

  #insert(name: KnownName, value: string): void {
    this.#literal(0x40, 0x3f, this.#nameIndexOf(name), name.text, value)
    const size = name.text.length + value.length + ENTRY_OVERHEAD_BYTES
    this.#evictTo(this.#maxBytes - size)
    if (size > this.#maxBytes) return
    this.#sizes[this.#inserted++ & (RING - 1)] = size
    this.#bytes += size
    name.inserted = this.#inserted
    name.remember(value, this.#inserted)
  }

  #evictTo(maxBytes: number): void {
    while (this.#evicted < this.#inserted && this.#bytes > maxBytes)
      this.#bytes -= this.#sizes[this.#evicted++ & (RING - 1)] as number
  }

  #literal(first: number, mask: number, nameIndex: number, name: string, value: string): void {
    this.#integer(nameIndex, first, mask)
    if (nameIndex === 0) this.#string(name)
    this.#string(value)
  }

  #string(text: string): void {
    const { length } = text
    this.#integer(length, 0x00, 0x7f)
    const buffer = this.#buffer
    let at = this.#at
    if (length > SHORT_TEXT) at += buffer.write(text, at, 'latin1')
    else for (let index = 0; index < length; index++) buffer[at++] = text.charCodeAt(index)
    this.#at = at
  }

  /** An integer with a prefix (RFC 7541, section 5.1). */
  #integer(value: number, first: number, mask: number): void {
    const buffer = this.#buffer
    if (value < mask) {
      buffer[this.#at++] = first | value
      return
    }
    buffer[this.#at++] = first | mask
    let rest = value - mask
    for (; rest > 0x7f; rest >>>= 7) buffer[this.#at++] = (rest & 0x7f) | 0x80
    buffer[this.#at++] = rest
  }
}

/** Up to here a loop is quicker than a call into the runtime. */
const SHORT_TEXT = 24
/** Two changes of the table size. */
export const MAX_UPDATE_BYTES = 12
const MAX_LITERAL_OVERHEAD = 12

/** The most that a field takes. */
export const maxFieldBytes = (name: string, value: string): number =>
  name.length + value.length + MAX_LITERAL_OVERHEAD
