/** One request of an accepted HTTP/2 connection: hands the request to the service and writes its answer. */
import { MeshError } from '@weft/schemas/error'
import {
  ANSWERED,
  type Fields,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  type Service,
  UNKNOWN_LENGTH,
} from '../exchange.ts'
import { hasNoBody } from '../http1/response-head.ts'
import { ERROR_CODE } from './protocol.ts'
import type { Http2ServerConnection } from './server-connection.ts'
import { Http2Stream } from './stream.ts'

export class ServerStream extends Http2Stream implements ResponseHandler {
  declare protected readonly connection: Http2ServerConnection
  readonly #request: RequestHead | undefined
  /** Assigned when the service has returned; until then there is nobody to tell. */
  #handler: RequestHandler = ANSWERED
  #isAnswerStarted = false
  #isAnswerEnded = false
  #hasNoBody = false
  /** Bytes that the answer has still to bring; UNKNOWN_LENGTH where its end says so. */
  #remaining = UNKNOWN_LENGTH

  /** Without `request`: for a refusal. */
  constructor(connection: Http2ServerConnection, id: number, request: RequestHead | undefined) {
    super(connection, id)
    this.#request = request
    if (request !== undefined) this.expectedBytes = request.length
  }

  /** `isEnd`: the request has no body, and its end has come. */
  begin(service: Service, request: RequestHead, isEnd: boolean): void {
    this.isRemoteEnded = isEnd
    let handler: RequestHandler
    try {
      handler = service.call(request, this)
    } catch (thrown) {
      this.#isAnswerEnded = true
      this.connection.rejectStream(this, MeshError.from(thrown))
      return
    }
    if (this.#isAnswerEnded) return
    this.#handler = handler
    if (this.isQueued) handler.pause()
    if (isEnd) handler.end(undefined)
  }

  /** True where the next thing to happen is that more of the request comes. gRPC streams may be silent for as long as they like, and tunnels. */
  get isAwaitingRequest(): boolean {
    if (this.isRemoteEnded || this.#isAnswerStarted || this.isPaused) return false
    return this.#request?.isGrpc !== true && this.#request?.upgrade === undefined
  }

  /** Gives the request up; whoever answers for it here says why. */
  cancel(error: MeshError): void {
    if (!this.#isAnswerEnded) this.#handler.cancel(error)
  }

  // The answer

  onInterim(status: number, fields: Fields): void {
    if (!this.#isAnswerStarted && !this.isLocalEnded) this.connection.writeInterim(this, status, fields)
  }

  onHead(head: ResponseHead): void {
    if (this.isLocalEnded) return
    this.#isAnswerStarted = true
    if (head.status === 101) {
      // The stream is the tunnel: HTTP/2 has no 101, and says 200 (RFC 8441, section 5).
      this.connection.writeResponse(this, { ...head, status: 200 })
      return
    }
    this.#hasNoBody = hasNoBody(this.#request?.method ?? '', head.status)
    this.#remaining = this.#hasNoBody ? UNKNOWN_LENGTH : head.length
    this.connection.writeResponse(this, head)
  }

  onData(chunk: Buffer): void {
    if (this.isLocalEnded || this.#hasNoBody) return
    if (this.#remaining !== UNKNOWN_LENGTH) {
      this.#remaining -= chunk.length
      if (this.#remaining < 0) {
        this.#break(ERROR_CODE.internal)
        return
      }
    }
    this.sendBody(chunk)
  }

  onEnd(trailers: Fields | undefined): void {
    this.#isAnswerEnded = true
    if (this.isLocalEnded) return
    if (this.#remaining > 0) this.#break(ERROR_CODE.internal)
    else {
      this.connection.onAnswered()
      this.sendEnd(trailers)
    }
  }

  /** Comes here only where no layer made an answer of it, because one had begun. */
  onFail(error: MeshError): void {
    this.#isAnswerEnded = true
    this.#break(error.code === 'cancelled' ? ERROR_CODE.cancel : ERROR_CODE.internal)
  }

  onPause(): void {
    this.pauseReceiving()
  }

  onResume(): void {
    this.resumeReceiving()
  }

  #break(errorCode: number): void {
    this.connection.resetStream(this, errorCode)
    if (this.#isAnswerEnded) return
    this.#isAnswerEnded = true
    this.#handler.cancel(new MeshError('upstream_protocol', 'expected an answer as long as it said'))
  }

  // From the stream

  protected override onBody(chunk: Buffer): void {
    this.#handler.data(chunk)
  }

  protected override onRemoteEnd(trailers: Fields | undefined): void {
    this.#handler.end(trailers)
  }

  override onBroken(error: MeshError): void {
    if (this.#isAnswerEnded) return
    this.#isAnswerEnded = true
    const isTheirs = error.code === 'upstream_reset'
    this.#handler.cancel(isTheirs ? new MeshError('cancelled', 'the caller gave its request up') : error)
  }

  protected override onSendBlocked(): void {
    this.#handler.pause()
  }

  protected override onSendUnblocked(): void {
    this.#handler.resume()
  }

  /** RFC 9113, section 8.1: what is left of the request is not needed, and this says so without an error. */
  protected override onLocalEnd(): void {
    this.connection.resetStream(this, ERROR_CODE.none)
  }
}
