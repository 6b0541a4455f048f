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

/**
 * A long answer may take as long as it flows (downloads, server-sent events), and so may a long upload: what is limited is
 * silence between the two. All attempts of a request share one deadline.
 */
export function timeout(inner: Service, timeoutMs: number): Service {
  if (timeoutMs === 0) return inner
  return {
    call(head, response) {
      const call = new TimedCall(head, response, timeoutMs)
      call.handler = inner.call(head, call)
      return call
    },
  }
}

class TimedCall extends ForwardingResponse implements RequestHandler {
  readonly #request: RequestHead
  readonly #timeoutMs: number
  #timer: NodeJS.Timeout | undefined
  #isAnswered = false
  handler: RequestHandler | undefined

  constructor(request: RequestHead, next: ResponseHandler, timeoutMs: number) {
    super(next)
    this.#request = request
    this.#timeoutMs = timeoutMs
  }

  #stop(): void {
    this.#isAnswered = true
    clearTimeout(this.#timer)
  }

  #expire(): void {
    const { service } = this.#request.notes
    this.handler?.cancel(
      new MeshError('upstream_timeout', `expected an answer of ${service} within ${this.#timeoutMs} ms`, {
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
    if (this.#isAnswered) return
    const { notes } = this.#request
    const now = performance.now()
    if (notes.deadlineAt === 0) notes.deadlineAt = now + this.#timeoutMs
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, notes.deadlineAt - now))
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
