/** One request on a dialled connection: writes the request, and knows how far it has come when the connection breaks. */
import { MeshError } from '@weft/schemas/error'
import {
  type Fields,
  isIdempotent,
  type Progress,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
} from '../exchange.ts'
import { PendingUpgrade } from '../upgrade.ts'
import { BodyWriter, UNTIL_CLOSE } from './body-writer.ts'
import type { ClientConnection } from './client-connection.ts'
import { requestText } from './write-head.ts'

export class ClientExchange implements RequestHandler {
  readonly #connection: ClientConnection
  readonly head: RequestHead
  readonly response: ResponseHandler
  readonly #isOnReused: boolean
  readonly #body: BodyWriter
  readonly #writesBefore: number
  /** Until it is answered. */
  #upgrade: PendingUpgrade | undefined
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
    this.#upgrade = head.upgrade === undefined ? undefined : new PendingUpgrade(head)
    this.#body = new BodyWriter(connection.output, head.upgrade === undefined ? head.length : UNTIL_CLOSE)
    this.#writesBefore = connection.output.writes
  }

  start(): void {
    this.#connection.output.text(requestText(this.#upgrade?.head ?? this.head))
  }

  /** Throws MeshError. */
  onHead(head: ResponseHead): void {
    const upgrade = head.status === 101 ? this.#upgrade : undefined
    upgrade?.check(head)
    this.response.onHead(head)
    if (upgrade !== undefined && !this.isOver) this.#openTunnel(upgrade)
  }

  #openTunnel({ early }: PendingUpgrade): void {
    this.#upgrade = undefined
    for (const chunk of early) this.#body.data(chunk)
    if (this.isRequestEnded) this.#connection.endTunnel()
    else if (early.length > 0 && !this.#connection.output.isBlocked) this.response.onResume()
  }

  data(chunk: Buffer): void {
    if (this.isOver) this.#resent?.data(chunk)
    else if (this.#upgrade === undefined) this.#body.data(chunk)
    else {
      this.#upgrade.early.push(chunk)
      this.response.onPause()
    }
  }

  end(trailers: Fields | undefined): void {
    this.isRequestEnded = true
    if (this.isOver) this.#resent?.end(trailers)
    else if (this.head.upgrade === undefined) this.#body.end(trailers)
    else if (this.#upgrade === undefined) this.#connection.endTunnel()
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
    const hasNoBody = this.head.length === 0 || this.#upgrade?.early.length === 0
    if (this.#isOnReused && isSafe && hasNoBody) {
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
