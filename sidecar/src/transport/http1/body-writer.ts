/** Writes one body in the framing that its head announced, and keeps to what was announced. */
import { type Fields, UNKNOWN_LENGTH } from '../exchange.ts'
import type { Output } from '../output.ts'
import { fieldLines } from './write-head.ts'

/** Where the body goes that must not be written: after HEAD, 204, 304. */
export const NO_BODY = -2
/** The end of the connection is the end of the body: HTTP/1.0. */
export const UNTIL_CLOSE = -3

export class BodyWriter {
  readonly #output: Output
  readonly #isChunked: boolean
  readonly #isCounted: boolean
  readonly #isAbsent: boolean
  #remaining: number

  /** `length`: bytes, UNKNOWN_LENGTH (chunked), NO_BODY or UNTIL_CLOSE. */
  constructor(output: Output, length: number) {
    this.#output = output
    this.#isChunked = length === UNKNOWN_LENGTH
    this.#isCounted = length >= 0
    this.#isAbsent = length === NO_BODY
    this.#remaining = length
  }

  /** False where there is more than was announced: the connection cannot be saved. */
  data(chunk: Buffer): boolean {
    if (this.#isAbsent || chunk.length === 0) return true
    if (this.#isChunked) {
      this.#output.text(`${chunk.length.toString(16)}\r\n`)
      this.#output.bytes(chunk)
      this.#output.text('\r\n')
      return true
    }
    if (this.#isCounted) {
      this.#remaining -= chunk.length
      if (this.#remaining < 0) return false
    }
    this.#output.bytes(chunk)
    return true
  }

  /** False where there is less than was announced. */
  end(trailers: Fields | undefined): boolean {
    if (this.#isChunked)
      this.#output.text(trailers === undefined ? '0\r\n\r\n' : `0\r\n${fieldLines(trailers)}\r\n`)
    return !this.#isCounted || this.#remaining === 0
  }
}
