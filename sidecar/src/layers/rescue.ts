/** The one place where an error becomes an answer: problem+json from the row of its code (RFC 9457), for gRPC its status. */
import { MeshError, toProblem } from '@weft/schemas/error'
import { parseTraceparent } from '@weft/schemas/trace-context'
import {
  ANSWERED,
  ForwardingResponse,
  type Progress,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  type Service,
  UNKNOWN_LENGTH,
} from '../transport/exchange.ts'
import { grpcStatusFields } from './grpc-status.ts'

/** Seconds after which to try again, where trying again makes sense. */
const RETRY_AFTER = '1'

export function rescue(inner: Service): Service {
  return {
    call(head, response) {
      const rescued = new RescuedResponse(response, head)
      try {
        return inner.call(head, rescued)
      } catch (thrown) {
        rescued.onFail(MeshError.from(thrown), 'unsent')
        return ANSWERED
      }
    },
  }
}

/** RFC 6750, section 3. */
const challenge = ({ message }: MeshError): string =>
  `Bearer error="invalid_token", error_description="${message.replace(/[^ !#-[\]-~]/g, '')}"`

class RescuedResponse extends ForwardingResponse {
  readonly #request: RequestHead
  #isStarted = false

  constructor(next: ResponseHandler, request: RequestHead) {
    super(next)
    this.#request = request
  }

  override onHead(head: ResponseHead): void {
    this.#isStarted = true
    this.next.onHead(head)
  }

  override onFail(error: MeshError, progress: Progress): void {
    this.#request.notes.error = error.row.id
    if (this.#request.isGrpc) {
      this.#endCall(error)
      return
    }
    // Half an answer cannot be taken back: the connection is broken, so that nobody takes it for a whole one.
    if (this.#isStarted) {
      this.next.onFail(error, progress)
      return
    }
    this.#isStarted = true
    const traceId = parseTraceparent(this.#request.notes.traceparent)?.traceId
    const body = Buffer.from(JSON.stringify(toProblem(error, traceId)))
    const fields = ['content-type', 'application/problem+json']
    if (error.details.fields !== undefined) fields.push(...error.details.fields)
    else if (error.row.retryable) fields.push('retry-after', RETRY_AFTER)
    if (error.code === 'invalid_token') fields.push('www-authenticate', challenge(error))
    this.next.onHead({ status: error.row.http, fields, length: body.length })
    this.next.onData(body)
    this.next.onEnd(undefined)
  }

  /** A gRPC call ends with its status, also in the middle: what came before it is not taken for the whole then. */
  #endCall(error: MeshError): void {
    const status = grpcStatusFields(error)
    if (this.#isStarted) {
      this.next.onEnd(status)
      return
    }
    this.#isStarted = true
    // Trailers-Only: one head that is also the end.
    const fields = ['content-type', 'application/grpc', ...status]
    this.next.onHead({ status: 200, fields, length: UNKNOWN_LENGTH })
    this.next.onEnd(undefined)
  }
}
