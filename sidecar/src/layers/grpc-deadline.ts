/** Ends a gRPC call when the time is up that its caller gave it in `grpc-timeout`, whatever of it is under way. */
import { MeshError } from '@weft/schemas/error'
import {
  type Fields,
  ForwardingResponse,
  type Progress,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type Service,
} from '../transport/exchange.ts'
import { firstValue } from '../transport/fields.ts'

/** Up to eight digits and a unit. */
const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
}
/** What a timer takes; longer is no limit. */
const MAX_TIMEOUT_MS = 0x7fffffff

/** Milliseconds; undefined where there is no limit. Throws MeshError for what is no `grpc-timeout`. */
export function grpcTimeoutMs(fields: Fields): number | undefined {
  const text = firstValue(fields, 'grpc-timeout')
  if (text === undefined) return undefined
  const [, digits, unit = ''] = TIMEOUT.exec(text) ?? []
  if (digits === undefined)
    throw new MeshError('invalid_request', 'expected grpc-timeout of up to eight digits and a unit')
  const timeoutMs = Number(digits) * (UNIT_MS[unit] ?? 0)
  return timeoutMs > MAX_TIMEOUT_MS ? undefined : timeoutMs
}

export function grpcDeadline(inner: Service): Service {
  return {
    call(head, response) {
      const timeoutMs = head.isGrpc ? grpcTimeoutMs(head.fields) : undefined
      if (timeoutMs === undefined) return inner.call(head, response)
      const call = new LimitedCall(response, head, timeoutMs)
      call.begin(inner)
      return call
    },
  }
}

class LimitedCall extends ForwardingResponse implements RequestHandler {
  readonly #request: RequestHead
  readonly #timeoutMs: number
  #timer: NodeJS.Timeout | undefined
  #handler: RequestHandler | undefined
  #isOver = false

  constructor(next: ResponseHandler, request: RequestHead, timeoutMs: number) {
    super(next)
    this.#request = request
    this.#timeoutMs = timeoutMs
  }

  begin(inner: Service): void {
    this.#handler = inner.call(this.#request, this)
    if (this.#isOver) return
    const elapsedMs = performance.now() - this.#request.notes.startedAt
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, this.#timeoutMs - elapsedMs))
  }

  #expire(): void {
    const message = `expected the call to end within the ${this.#timeoutMs} ms of its grpc-timeout`
    this.#handler?.cancel(new MeshError('upstream_timeout', message))
  }

  #over(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  override onEnd(trailers: Fields | undefined): void {
    this.#over()
    this.next.onEnd(trailers)
  }

  override onFail(error: MeshError, progress: Progress): void {
    this.#over()
    this.next.onFail(error, progress)
  }

  data(chunk: Buffer): void {
    this.#handler?.data(chunk)
  }

  end(trailers: Fields | undefined): void {
    this.#handler?.end(trailers)
  }

  cancel(error: MeshError): void {
    this.#handler?.cancel(error)
  }

  pause(): void {
    this.#handler?.pause()
  }

  resume(): void {
    this.#handler?.resume()
  }
}
