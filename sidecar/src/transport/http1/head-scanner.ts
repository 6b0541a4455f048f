/**
 * Finds the end of a head and the places of its parts, byte by byte and strictly in order: whether and how a head is
 * refused depends on its bytes alone, never on how they were split into reads. Makes no strings.
 *
 * A line that is not whole yet is gone on with where it stopped when more has come: a head of one byte a packet costs no more than
 * one of a whole packet.
 */
import { MeshError } from '@weft/schemas/error'
import { COLON, CR, FIELD_VALUE, LF, SPACE, TAB, TARGET, TOKEN } from '../characters.ts'
import { malformed } from '../malformed.ts'
import { hashStep, type KnownName, knownName } from '../names.ts'
import type { Http1Limits } from './limits.ts'

export type HeadKind = 'request' | 'response' | 'trailers'

/** Numbers per field in `marks`: begin and end of the name, begin and end of the value. */
export const FIELD_MARKS = 4
/** Of a request line: begin and end of the method, begin and end of the target, minor version.
 *  Of a status line: status, minor version. Trailers have none. */
export const START_MARKS = { request: 5, response: 2, trailers: 0 } as const

export class HeadScanner {
  readonly #kind: HeadKind
  readonly #limits: Http1Limits
  /** Places relative to the first byte of the head; see START_MARKS, then FIELD_MARKS for each field. */
  readonly marks: number[] = []
  /** For each field the name where it is a common one. */
  readonly names: (KnownName | undefined)[] = []
  fieldCount = 0
  #line = 0
  #isInFields: boolean
  #isComplete = false
  /** Of a line that is not whole: up to where it was judged, and what was found of it (0: not yet). */
  #judged = 0
  #firstEnd = 0
  #secondStart = 0
  #hash = 0

  constructor(kind: HeadKind, limits: Http1Limits) {
    this.#kind = kind
    this.#limits = limits
    this.#isInFields = kind === 'trailers'
  }

  reset(): void {
    this.fieldCount = 0
    this.#line = 0
    this.#isInFields = this.#kind === 'trailers'
    this.#isComplete = false
    this.#beginLine()
  }

  /** Scans on in a head that begins at `from`; returns where the body begins, or 0 while the head is not whole. Throws MeshError. */
  scan(buffer: Buffer, from: number, to: number): number {
    const end = Math.min(to, from + this.#limits.maxHeadBytes)
    while (!this.#isComplete) {
      const at = from + this.#line
      const next = this.#isInFields
        ? this.#fieldLine(buffer, from, at, end)
        : this.#startLine(buffer, from, at, end)
      if (next === 0) return this.#incomplete(to - from)
      this.#line = next - from
      if (this.#judged !== 0) this.#beginLine()
    }
    return from + this.#line
  }

  #beginLine(): void {
    this.#judged = 0
    this.#firstEnd = 0
    this.#secondStart = 0
    this.#hash = 0
  }

  #incomplete(bytes: number): 0 {
    const { maxHeadBytes } = this.#limits
    if (bytes >= maxHeadBytes)
      throw new MeshError('headers_too_large', `expected a head of at most ${maxHeadBytes} bytes`)
    return 0
  }

  #startLine(buffer: Buffer, from: number, at: number, end: number): number {
    // RFC 9112, section 2.2: one empty line before a request is forgiven; some clients send it after a body.
    if (this.#kind === 'request' && at === from && buffer[at] === CR) return lineEnd(buffer, at, end)
    const next =
      this.#kind === 'request'
        ? this.#requestLine(buffer, from, at, end)
        : statusLine(this.marks, buffer, at, end)
    if (next > 0) this.#isInFields = true
    return next
  }

  #fieldLine(buffer: Buffer, from: number, start: number, end: number): number {
    if (start >= end) return 0
    const first = buffer[start] as number
    if (first === CR) {
      const next = lineEnd(buffer, start, end)
      this.#isComplete = next > 0
      return next
    }
    let at = this.#judged === 0 ? start : from + this.#judged
    let hash = this.#hash
    let nameEnd = from + this.#firstEnd
    if (this.#firstEnd === 0) {
      for (; at < end; at++) {
        const byte = TOKEN[buffer[at] as number] as number
        if (byte === 0) break
        hash = hashStep(hash, byte)
      }
      if (at === end) return this.#pause(at - from, 0, 0, hash)
      if (buffer[at] !== COLON || at === start) throw badName(buffer[at] as number, at === start)
      nameEnd = at++
    }
    let valueStart = from + this.#secondStart
    if (this.#secondStart === 0) {
      while (at < end && (buffer[at] === SPACE || buffer[at] === TAB)) at++
      if (at === end) return this.#pause(at - from, nameEnd - from, 0, hash)
      valueStart = at
    }
    while (at < end && FIELD_VALUE[buffer[at] as number] === 1) at++
    const next = lineEnd(buffer, at, end)
    if (next === 0) return this.#pause(at - from, nameEnd - from, valueStart - from, hash)
    while (at > valueStart && (buffer[at - 1] === SPACE || buffer[at - 1] === TAB)) at--
    this.#mark(
      knownName(buffer, start, nameEnd, hash),
      start - from,
      nameEnd - from,
      valueStart - from,
      at - from,
    )
    return next
  }

  #requestLine(buffer: Buffer, from: number, start: number, end: number): number {
    const { marks } = this
    let at = this.#judged === 0 ? start : from + this.#judged
    if (this.#firstEnd === 0) {
      while (at < end && TOKEN[buffer[at] as number] !== 0) at++
      if (at === end) return this.#pause(at - from, 0, 0, 0)
      if (buffer[at] !== SPACE || at === start) throw malformed('expected a method and one space')
      marks[0] = start - from
      marks[1] = at - from
      marks[2] = ++at - from
    }
    const [, methodEnd = 0, targetStart = 0] = marks
    while (at < end && TARGET[buffer[at] as number] === 1) at++
    if (at === end) return this.#pause(at - from, methodEnd, targetStart, 0)
    if (buffer[at] !== SPACE || at === from + targetStart)
      throw malformed('expected a request target and one space')
    marks[3] = at - from
    const minor = version(buffer, at + 1, end)
    if (minor === INCOMPLETE) return this.#pause(at - from, methodEnd, targetStart, 0)
    marks[4] = minor
    const next = lineEnd(buffer, at + 1 + VERSION_LENGTH, end)
    return next === 0 ? this.#pause(at - from, methodEnd, targetStart, 0) : next
  }

  /** The line goes on in bytes that have not come. */
  #pause(judged: number, firstEnd: number, secondStart: number, hash: number): 0 {
    this.#judged = judged
    this.#firstEnd = firstEnd
    this.#secondStart = secondStart
    this.#hash = hash
    return 0
  }

  #mark(
    name: KnownName | undefined,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (this.fieldCount === this.#limits.maxFields)
      throw new MeshError('headers_too_large', `expected at most ${this.#limits.maxFields} header fields`)
    const marks = this.marks
    const at = START_MARKS[this.#kind] + this.fieldCount * FIELD_MARKS
    marks[at] = nameStart
    marks[at + 1] = nameEnd
    marks[at + 2] = valueStart
    marks[at + 3] = valueEnd
    this.names[this.fieldCount++] = name
  }
}

function badName(byte: number, isFirst: boolean): MeshError {
  if (isFirst && (byte === SPACE || byte === TAB))
    return malformed('expected a header field; a line begins with white space (obs-fold is refused)')
  if (isFirst && byte === COLON) return malformed('expected a name before the colon of a header field')
  if (byte === SPACE || byte === TAB) return malformed('expected the colon directly after a header name')
  if (byte === LF || byte === CR) return malformed('expected a colon in the header line')
  return malformed(`expected a token as header name; it holds the byte ${byte}`)
}

/** The place after CR LF; 0 where the buffer ends first. Anything else is refused. */
function lineEnd(buffer: Buffer, at: number, end: number): number {
  if (at >= end) return 0
  const byte = buffer[at] as number
  if (byte === LF) throw malformed('expected CR LF at the end of a line; LF came alone')
  if (byte !== CR) throw malformed(`expected visible characters; the byte ${byte} came`)
  if (at + 1 >= end) return 0
  if (buffer[at + 1] !== LF) throw malformed('expected LF after CR in the head')
  return at + 2
}

function statusLine(marks: number[], buffer: Buffer, start: number, end: number): number {
  const minor = version(buffer, start, end)
  if (minor === INCOMPLETE) return 0
  let at = start + VERSION_LENGTH
  if (at + 4 > end) return 0
  if (buffer[at++] !== SPACE) throw malformed('expected one space after the version')
  let status = 0
  for (let digits = 0; digits < 3; digits++, at++) {
    const digit = (buffer[at] as number) - 48
    if (digit < 0 || digit > 9) throw malformed('expected a status of three digits')
    status = status * 10 + digit
  }
  if (status < 100) throw malformed('expected a status from 100')
  // The space before an empty reason is often left out; nothing can be read wrongly by that.
  if (buffer[at] === SPACE) while (at < end && FIELD_VALUE[buffer[at] as number] === 1) at++
  marks[0] = status
  marks[1] = minor
  return lineEnd(buffer, at, end)
}

const INCOMPLETE = -1
const VERSION_LENGTH = 8
const VERSION_PREFIX = Buffer.from('HTTP/')

/** The minor version of HTTP/1.x. Major versions other than 1 are a version we do not speak, not a malformed request. */
function version(buffer: Buffer, start: number, end: number): number {
  const available = Math.min(VERSION_LENGTH, end - start)
  for (let at = 0; at < available; at++) {
    const byte = buffer[start + at] as number
    const isDigit = byte >= 48 && byte <= 57
    const expected = at < 5 ? byte === VERSION_PREFIX[at] : at === 6 ? byte === 46 : isDigit
    if (!expected) throw malformed('expected HTTP/1.1')
  }
  if (available < VERSION_LENGTH) return INCOMPLETE
  const major = (buffer[start + 5] as number) - 48
  const minor = (buffer[start + 7] as number) - 48
  if (major !== 1 || minor > 1)
    throw new MeshError('http_version', `expected HTTP/1.1 or HTTP/1.0; HTTP/${major}.${minor} came`)
  return minor
}
