/** One request on a dialled connection: writes the request, and knows how far it has come when the connection breaks. */
import { MeshError } from '@weft/schemas/error'
import {
  type Fields,
  isIdempotent,
  type Progress,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
} from '../exchange.ts'
import { BodyWriter } from './body-writer.ts'
import type { ClientConnection } from './client-connection.ts'
import { requestText } from './write-head.ts'

export class ClientExchange implements RequestHandler {
  readonly #connection: ClientConnection
  readonly head: RequestHead
  readonly response: ResponseHandler
  readonly #isOnReused: boolean
  readonly #body: BodyWriter
  readonly #writesBefore: number
  #resent: RequestHandler | undefined
  isRequestEnded = false
  /** A byte of an answer has come. */
  isAnswering = false
  isOver = false

  constructor(
    connection: ClientConnection,
    head: RequestHead,
    response: ResponseHandler,
    isOnReused: boolean,
  ) {
    this.#connection = connection
    this.head = head
    this.response = response
    this.#isOnReused = isOnReused
    this.#body = new BodyWriter(connection.output, head.length)
    this.#writesBefore = connection.output.writes
  }

  start(): void {
    this.#connection.output.text(requestText(this.head))
  }

  data(chunk: Buffer): void {
    if (this.isOver) this.#resent?.data(chunk)
    else this.#body.data(chunk)
  }

  end(trailers: Fields | undefined): void {
    this.isRequestEnded = true
    if (this.isOver) this.#resent?.end(trailers)
    else this.#body.end(trailers)
  }

  cancel(error: MeshError): void {
    if (this.isOver) {
      this.#resent?.cancel(error)
      return
    }
    const progress = this.#progress()
    this.isOver = true
    this.#connection.abort()
    this.response.onFail(error, progress)
  }

  pause(): void {
    if (this.isOver) this.#resent?.pause()
    else this.#connection.pauseAnswer()
  }

  resume(): void {
    if (this.isOver) this.#resent?.resume()
    else this.#connection.resumeAnswer()
  }

  /**
   * The connection broke. The usual way for one that was idle: the server closes it in the same moment in which we take it
   * from the pool, its FIN and our request cross, and a reset answers. The request was not read then, but nobody can prove
   * it: it goes out again, on a fresh connection, only where twice has the effect of once and there is no body to repeat.
   */
  fail(error: MeshError): void {
    if (this.isOver) return
    this.isOver = true
    const progress = this.#progress()
    const isSafe = progress === 'unsent' || (progress === 'unanswered' && isIdempotent(this.head.method))
    if (this.#isOnReused && isSafe && this.head.length === 0) {
      this.#resend()
      return
    }
    this.response.onFail(error, progress)
  }

  #resend(): void {
    try {
      this.#resent = this.#connection.resend(this.head, this.response)
      if (this.isRequestEnded) this.#resent.end(undefined)
    } catch (thrown) {
      this.response.onFail(MeshError.from(thrown), 'unsent')
    }
  }

  #progress(): Progress {
    if (this.isAnswering) return 'answered'
    return this.#connection.output.writes === this.#writesBefore ? 'unsent' : 'unanswered'
  }
}
