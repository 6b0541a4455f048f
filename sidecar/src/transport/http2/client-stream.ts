/** One request on a dialled HTTP/2 connection: writes the request, and knows how far it has come when it fails. */
import { MeshError } from '@weft/schemas/error'
import {
  type Fields,
  type Progress,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  UNKNOWN_LENGTH,
} from '../exchange.ts'
import { hasNoBody } from '../http1/response-head.ts'
import type { Http2ClientConnection } from './client-connection.ts'
import { ERROR_CODE } from './protocol.ts'
import { Http2Stream } from './stream.ts'

export class ClientStream extends Http2Stream implements RequestHandler {
  declare protected readonly connection: Http2ClientConnection
  readonly head: RequestHead
  readonly #response: ResponseHandler
  readonly #writesBefore: number
  /** It was on another connection before, which did not process it. */
  readonly #isRepeated: boolean
  #resent: RequestHandler | undefined
  #hasBodyBegun = false
  #isRequestEnded = false
  #hasHead = false
  #isAnswering = false
  #isOver = false

  constructor(connection: Http2ClientConnection, id: number, request: ClientRequest) {
    super(connection, id)
    this.head = request.head
    this.#response = request.response
    this.#isRepeated = request.isRepeated
    this.#writesBefore = connection.output.writes
  }

  // The request

  data(chunk: Buffer): void {
    this.#hasBodyBegun = true
    if (this.#isOver) this.#resent?.data(chunk)
    else this.sendBody(chunk)
  }

  end(trailers: Fields | undefined): void {
    this.#isRequestEnded = true
    if (this.#isOver) this.#resent?.end(trailers)
    else this.sendEnd(trailers)
  }

  cancel(error: MeshError): void {
    if (this.#isOver) {
      this.#resent?.cancel(error)
      return
    }
    const progress = this.#progress()
    this.#isOver = true
    this.connection.resetStream(this, ERROR_CODE.cancel)
    this.#response.onFail(error, progress)
  }

  pause(): void {
    if (this.#isOver) this.#resent?.pause()
    else this.pauseReceiving()
  }

  resume(): void {
    if (this.#isOver) this.#resent?.resume()
    else this.resumeReceiving()
  }

  // The answer

  get hasHead(): boolean {
    return this.#hasHead
  }

  onInterim(head: ResponseHead): void {
    this.#isAnswering = true
    this.#response.onInterim(head.status, head.fields)
  }

  onHead(head: ResponseHead): void {
    this.#isAnswering = true
    this.#hasHead = true
    if (this.head.upgrade !== undefined && head.status < 300) {
      this.#response.onHead({ ...head, status: 101, length: UNKNOWN_LENGTH })
      return
    }
    const isBare = hasNoBody(this.head.method, head.status)
    this.expectedBytes = isBare ? 0 : head.length
    this.#response.onHead(head)
  }

  // From the stream

  protected override onBody(chunk: Buffer): void {
    this.#response.onData(chunk)
  }

  protected override onRemoteEnd(trailers: Fields | undefined): void {
    this.#isOver = true
    // The answer is whole: the rest of the request would be read by nobody.
    if (!this.isLocalEnded) this.connection.resetStream(this, ERROR_CODE.none)
    this.#response.onEnd(trailers)
  }

  /** REFUSED_STREAM, or a GOAWAY that leaves this stream out: nothing of it was processed (RFC 9113, section 8.7). */
  override onBroken(error: MeshError, errorCode: number): void {
    if (this.#isOver) return
    const progress = errorCode === ERROR_CODE.refusedStream ? 'unsent' : this.#progress()
    this.#isOver = true
    if (progress === 'unsent' && !this.#isRepeated && !this.#hasBodyBegun) this.#resend(error)
    else this.#response.onFail(failureOf(error), progress)
  }

  protected override onSendBlocked(): void {
    this.#response.onPause()
  }

  protected override onSendUnblocked(): void {
    this.#response.onResume()
  }

  protected override onLocalEnd(): void {} // the answer is still to come

  #resend(error: MeshError): void {
    try {
      this.#resent = this.connection.resend(this.head, this.#response)
      if (this.#isRequestEnded) this.#resent.end(undefined)
    } catch {
      this.#response.onFail(failureOf(error), 'unsent')
    }
  }

  #progress(): Progress {
    if (this.#isAnswering) return 'answered'
    return this.connection.output.writes === this.#writesBefore ? 'unsent' : 'unanswered'
  }
}

export interface ClientRequest {
  readonly head: RequestHead
  readonly response: ResponseHandler
  readonly isRepeated: boolean
}

/** What the connection calls malformed is the upstream's fault, seen from the caller. */
function failureOf(error: MeshError): MeshError {
  if (error.code !== 'invalid_request') return error
  return new MeshError('upstream_protocol', `the upstream's answer: ${error.message}`, { cause: error })
}
