/** Gives up on a request whose answer has not begun in time, or is not whole, where a route says so. The clock starts when the request has gone out whole. */
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
  /** Which of the two hold until the answer is whole, and not only until it begins: those that a route names (GEP-1742). Never of a tunnel, which has no answer that could be whole. */
  readonly whole?: { readonly request: boolean; readonly perTry: boolean }
}

/**
 * By default a long answer may take as long as it flows (downloads, server-sent events), and so may a long upload: what is limited is
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
  /** `performance.now()` when the clock was started; 0: not yet. */
  #startedAt = 0
  #hasHead = false
  #isOver = false
  handler: RequestHandler | undefined

  constructor(request: RequestHead, next: ResponseHandler, settings: TimeoutSettings) {
    super(next)
    this.#request = request
    this.#settings = settings
  }

  #stop(): void {
    this.#isOver = true
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
    if (this.#settings.whole === undefined || this.#request.upgrade !== undefined) this.#stop()
    else {
      this.#hasHead = true
      clearTimeout(this.#timer)
      if (this.#startedAt !== 0) this.#arm()
    }
    this.next.onHead(head)
  }

  override onEnd(trailers: Fields | undefined): void {
    if (!this.#isOver) this.#stop()
    this.next.onEnd(trailers)
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
    if (this.#isOver) return
    const { notes } = this.#request
    const { requestTimeoutMs } = this.#settings
    this.#startedAt = performance.now()
    if (notes.deadlineAt === 0 && requestTimeoutMs > 0) notes.deadlineAt = this.#startedAt + requestTimeoutMs
    this.#arm()
  }

  /** Sets the timer for whichever limit comes first, of those that still hold. */
  #arm(): void {
    const { requestTimeoutMs, perTryTimeoutMs, whole } = this.#settings
    const { deadlineAt } = this.#request.notes
    const ofRequest = deadlineAt !== 0 && (!this.#hasHead || whole?.request === true)
    const ofAttempt = perTryTimeoutMs > 0 && (!this.#hasHead || whole?.perTry === true)
    const requestAt = ofRequest ? deadlineAt : Number.POSITIVE_INFINITY
    const attemptAt = ofAttempt ? this.#startedAt + perTryTimeoutMs : Number.POSITIVE_INFINITY
    const at = Math.min(requestAt, attemptAt)
    if (at === Number.POSITIVE_INFINITY) return
    const limitMs = at === attemptAt ? perTryTimeoutMs : requestTimeoutMs
    this.#timer = setTimeout(() => this.#expire(limitMs), Math.max(1, at - performance.now()))
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
