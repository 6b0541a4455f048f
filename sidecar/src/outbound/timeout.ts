/** Gives up on a request whose answer has not begun in time. The clock starts when the request has gone out whole. */
import { MeshError } from '@weft/schemas/error'
import {
  type Fields,
  ForwardingResponse,
  type Progress,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  type Service,
} from '../transport/exchange.ts'

export interface TimeoutSettings {
  /** For all attempts of a request together; 0: no limit. */
  readonly requestTimeoutMs: number
  /** For each attempt; 0: no limit. */
  readonly perTryTimeoutMs: number
}

/**
 * A long answer may take as long as it flows (downloads, server-sent events), and so may a long upload: what is limited is
 * silence between the two. All attempts of a request share one deadline.
 */
export function timeout(inner: Service, settings: TimeoutSettings): Service {
  if (settings.requestTimeoutMs === 0 && settings.perTryTimeoutMs === 0) return inner
  return {
    call(head, response) {
      const call = new TimedCall(head, response, settings)
      call.handler = inner.call(head, call)
      // The request of a tunnel has no end before its answer.
      if (head.upgrade !== undefined) call.startClock()
      return call
    },
  }
}

class TimedCall extends ForwardingResponse implements RequestHandler {
  readonly #request: RequestHead
  readonly #settings: TimeoutSettings
  #timer: NodeJS.Timeout | undefined
  #isAnswered = false
  handler: RequestHandler | undefined

  constructor(request: RequestHead, next: ResponseHandler, settings: TimeoutSettings) {
    super(next)
    this.#request = request
    this.#settings = settings
  }

  #stop(): void {
    this.#isAnswered = true
    clearTimeout(this.#timer)
  }

  #expire(limitMs: number): void {
    const { service } = this.#request.notes
    this.handler?.cancel(
      new MeshError('upstream_timeout', `expected an answer of ${service} within ${limitMs} ms`, {
        target: service,
      }),
    )
  }

  override onHead(head: ResponseHead): void {
    this.#stop()
    this.next.onHead(head)
  }

  override onFail(error: MeshError, progress: Progress): void {
    this.#stop()
    this.next.onFail(error, progress)
  }

  data(chunk: Buffer): void {
    this.handler?.data(chunk)
  }

  end(trailers: Fields | undefined): void {
    this.handler?.end(trailers)
    if (this.#request.upgrade === undefined) this.startClock()
  }

  startClock(): void {
    if (this.#isAnswered) return
    const { notes } = this.#request
    const { requestTimeoutMs, perTryTimeoutMs } = this.#settings
    const now = performance.now()
    if (notes.deadlineAt === 0 && requestTimeoutMs > 0) notes.deadlineAt = now + requestTimeoutMs
    const leftMs = notes.deadlineAt === 0 ? Number.POSITIVE_INFINITY : Math.max(1, notes.deadlineAt - now)
    if (perTryTimeoutMs > 0 && perTryTimeoutMs < leftMs)
      this.#timer = setTimeout(() => this.#expire(perTryTimeoutMs), perTryTimeoutMs)
    else this.#timer = setTimeout(() => this.#expire(requestTimeoutMs), leftMs)
  }

  cancel(error: MeshError): void {
    this.handler?.cancel(error)
  }

  pause(): void {
    this.handler?.pause()
  }

  resume(): void {
    this.handler?.resume()
  }
}
