/**
 * Reads one message after another out of what a socket delivers, in pieces of any size (RFC 9112, sections 2, 6, 7).
 *
 *   ┌──▶ head ──▶ length | chunkSize … trailers | untilClose ──▶ parked ──┐
 *   └────────────────────────────── next() ◀──────────────────────────────┘
 *
 * A reader is parked after each message: what follows it stays unread until `next`, so pipelined requests wait in the
 * buffer that they came in. Chunk extensions are read over; they, chunk sizes and line ends are held to the letter, because a
 * proxy that forgives one of them and a server that does not see two different requests.
 */
import { MeshError } from '@weft/schemas/error'
import { CR, HEX, LF } from '../characters.ts'
import type { Fields } from '../exchange.ts'
import { malformed } from '../malformed.ts'
import { NOT_IN_TRAILERS } from '../trailers.ts'
import { type ExtensionPlace, mayEnd, nextPlace } from './chunk-extension.ts'
import { FieldsReader } from './fields-reader.ts'
import { type HeadKind, HeadScanner } from './head-scanner.ts'
import type { Http1Limits } from './limits.ts'

/** What `onHead` answers where the body is not a number of bytes. */
export const BODY = {
  chunked: -1,
  untilClose: -2,
  /** no body, and another head follows */ interim: -3,
} as const

export interface MessageSink {
  /** The head is the bytes [from, to). Returns the length of the body, or one of BODY. */
  onHead(scanner: HeadScanner, buffer: Buffer, from: number, to: number): number
  onBody(chunk: Buffer): void
  onMessageEnd(trailers: Fields | undefined): void
}

/** 2^52 bytes: a number that is exact, and that no body reaches. */
const MAX_CHUNK_DIGITS = 13
/** A chunk line that goes on for longer is an attack on whoever counts bytes (CVE-2023-39326). */
const MAX_EXTENSION_BYTES = 256

type State =
  | 'head'
  | 'length'
  | 'chunkSize'
  | 'chunkExtension'
  | 'chunkLineFeed'
  | 'chunkData'
  | 'chunkDataCr'
  | 'chunkDataLf'
  | 'trailers'
  | 'untilClose'
  | 'parked'

export class MessageReader {
  readonly #sink: MessageSink
  readonly #limits: Http1Limits
  readonly #scanner: HeadScanner
  #trailerScanner: HeadScanner | undefined
  #state: State = 'head'
  #rest: Buffer | undefined
  #isFeeding = false
  #isStopped = false
  /** Bytes of the body or chunk that are still to come; while its size is read: the size so far. */
  #remaining = 0
  #digits = 0
  #extension: ExtensionPlace = 'nameStart'

  constructor(kind: HeadKind, sink: MessageSink, limits: Http1Limits) {
    this.#sink = sink
    this.#limits = limits
    this.#scanner = new HeadScanner(kind, limits)
  }

  /** Bytes that came and wait for the rest of a head, or for `next`. */
  get heldBytes(): number {
    return this.#rest?.length ?? 0
  }

  get isBetweenMessages(): boolean {
    return this.#state === 'head' && this.#rest === undefined
  }

  /** Reads what came. Throws MeshError for what is malformed; the reader is of no use after that. */
  feed(chunk: Buffer): void {
    const buffer = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = undefined
    this.#isFeeding = true
    let at = 0
    while (at < buffer.length && !this.#isStopped) {
      const next = this.#step(buffer, at)
      if (next === HELD) break
      at = next
    }
    this.#isFeeding = false
    if (at < buffer.length && !this.#isStopped) this.#rest = at === 0 ? buffer : buffer.subarray(at)
  }

  /** The message that was read is done with: go on to the one after it. */
  next(): void {
    this.#state = 'head'
    this.#scanner.reset()
    const rest = this.#rest
    // Inside of `feed` its own loop goes on: a thousand small requests in one read must not become a thousand frames.
    if (rest === undefined || this.#isFeeding) return
    this.#rest = undefined
    this.feed(rest)
  }

  /** The other side will send no more: a body that only the end of the connection ends is whole now. */
  finish(): void {
    if (this.#state === 'untilClose') this.#end(undefined)
  }

  /** The bytes that came and were not read yet, for whoever reads on; nothing is read here any more. */
  takeRest(): Buffer | undefined {
    const rest = this.#rest
    this.stop()
    return rest
  }

  /** Nothing that comes from now on is looked at. */
  stop(): void {
    this.#isStopped = true
    this.#rest = undefined
  }

  /** Reads on from `at`; returns the place that was reached, or HELD where the rest has to wait for more. */
  #step(buffer: Buffer, at: number): number {
    switch (this.#state) {
      case 'parked':
        return HELD
      case 'head':
        return this.#head(buffer, at)
      case 'length':
      case 'chunkData':
        return this.#body(buffer, at)
      case 'untilClose':
        this.#sink.onBody(slice(buffer, at, buffer.length))
        return buffer.length
      case 'trailers':
        return this.#trailers(buffer, at)
      default:
        this.#chunkByte(this.#state, buffer[at] as number)
        return at + 1
    }
  }

  #head(buffer: Buffer, at: number): number {
    const end = this.#scanner.scan(buffer, at, buffer.length)
    if (end === 0) return HELD
    const length = this.#sink.onHead(this.#scanner, buffer, at, end)
    this.#scanner.reset()
    if (length === BODY.chunked) this.#beginChunk()
    else if (length === BODY.untilClose) this.#state = 'untilClose'
    else if (length > 0) {
      this.#state = 'length'
      this.#remaining = length
    } else if (length === 0) this.#end(undefined)
    return end
  }

  #body(buffer: Buffer, at: number): number {
    const end = Math.min(buffer.length, at + this.#remaining)
    this.#remaining -= end - at
    const isLast = this.#remaining === 0
    const isChunk = this.#state === 'chunkData'
    if (isLast && isChunk) this.#state = 'chunkDataCr'
    this.#sink.onBody(slice(buffer, at, end))
    if (isLast && !isChunk) this.#end(undefined)
    return end
  }

  #beginChunk(): void {
    this.#state = 'chunkSize'
    this.#remaining = 0
    this.#digits = 0
  }

  #chunkByte(state: Exclude<State, 'head'>, byte: number): void {
    switch (state) {
      case 'chunkSize':
        this.#chunkSize(byte)
        return
      case 'chunkExtension':
        this.#chunkExtension(byte)
        return
      case 'chunkLineFeed':
        if (byte !== LF) throw malformed('expected LF after CR in the line of a chunk size')
        this.#state = this.#remaining === 0 ? 'trailers' : 'chunkData'
        return
      case 'chunkDataCr':
        if (byte !== CR) throw malformed('expected CR LF after the data of a chunk')
        this.#state = 'chunkDataLf'
        return
      default:
        if (byte !== LF) throw malformed('expected CR LF after the data of a chunk')
        this.#beginChunk()
    }
  }

  #chunkSize(byte: number): void {
    const digit = HEX[byte] as number
    if (digit < 16) {
      if (++this.#digits > MAX_CHUNK_DIGITS) throw malformed('expected a smaller chunk size')
      this.#remaining = this.#remaining * 16 + digit
      return
    }
    if (this.#digits === 0) throw malformed('expected a chunk size in hexadecimal digits')
    this.#digits = 0
    if (byte === CR) this.#state = 'chunkLineFeed'
    else if (byte === SEMICOLON) {
      this.#state = 'chunkExtension'
      this.#extension = 'nameStart'
    } else throw malformed('expected CR LF or an extension after a chunk size')
  }

  #chunkExtension(byte: number): void {
    if (byte === CR && mayEnd(this.#extension)) {
      this.#state = 'chunkLineFeed'
      return
    }
    const next = nextPlace(this.#extension, byte)
    if (next === undefined) throw malformed(`expected a chunk extension; the byte ${byte} came`)
    if (++this.#digits > MAX_EXTENSION_BYTES) throw malformed('expected a shorter chunk extension')
    this.#extension = next
  }

  #trailers(buffer: Buffer, at: number): number {
    this.#trailerScanner ??= new HeadScanner('trailers', this.#limits)
    const scanner = this.#trailerScanner
    const end = scanner.scan(buffer, at, buffer.length)
    if (end === 0) return HELD
    const trailers =
      scanner.fieldCount === 0 ? undefined : readTrailers(scanner, buffer.toString('latin1', at, end))
    scanner.reset()
    this.#end(trailers)
    return end
  }

  #end(trailers: Fields | undefined): void {
    this.#state = 'parked'
    if (!this.#isStopped) this.#sink.onMessageEnd(trailers)
  }
}

const HELD = -1
const SEMICOLON = 59

const slice = (buffer: Buffer, from: number, to: number): Buffer =>
  from === 0 && to === buffer.length ? buffer : buffer.subarray(from, to)

function readTrailers(scanner: HeadScanner, text: string): Fields {
  const reader = new FieldsReader()
  try {
    reader.read(text, scanner, 0)
  } catch (error) {
    throw malformed(`in trailers: ${MeshError.from(error).message}`)
  }
  const kept: Fields = []
  for (let at = 0; at < reader.fields.length; at += 2) {
    const name = reader.fields[at] as string
    if (!NOT_IN_TRAILERS.has(name)) kept.push(name, reader.fields[at + 1] as string)
  }
  return kept
}
