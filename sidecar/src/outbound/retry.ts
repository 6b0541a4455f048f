/**
 * Sends a request again where that is safe: nothing of it reached anybody, or twice has the effect of once.
 *
 *   attempt ──failed, 503──▶ may it be repeated? ──no──▶ hand on what came
 *      ▲                        │ yes
 *      └──── back off ◀─────────┘ the body that was sent so far is kept, and sent again
 *
 * Kept are at most 64 KiB; when more has gone out, there is no second attempt. Once an answer has been handed on the layer
 * only passes things by.
 */
import { MeshError } from '@weft/schemas/error'
import type { RetrySettings } from '@weft/schemas/snapshot'
import type { RouteRetry } from '@weft/schemas/snapshot-routes'
import {
  ANSWERED,
  type Fields,
  ForwardingResponse,
  type Progress,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  type Service,
} from '../transport/exchange.ts'
import type { RetryBudget } from './retry-budget.ts'
import { type RetryConditions, type RetryReason, retryConditions } from './retry-conditions.ts'

export interface RetryOptions {
  /** Of the service, or of a rule of its routes. */
  readonly settings: RetrySettings
  /** What that rule says beside them. */
  readonly rule?: RouteRetry | undefined
  /** Of the service. */
  readonly budget: RetryBudget
  readonly onRetry: (head: RequestHead, reason: RetryReason) => void
}

const MAX_KEPT_BYTES = 64 * 1024

export function retry(inner: Service, options: RetryOptions): Service {
  if (options.settings.attempts === 0) return inner
  const target: RetryTarget = {
    ...options,
    inner,
    conditions: retryConditions(options.settings, options.rule?.statusCodes),
  }
  return {
    call(head, response) {
      const call = new RetriedCall(target, head, response)
      call.start()
      return call
    },
  }
}

interface RetryTarget extends RetryOptions {
  readonly inner: Service
  readonly conditions: RetryConditions
}

class RetriedCall implements RequestHandler {
  readonly target: RetryTarget
  readonly head: RequestHead
  readonly response: ResponseHandler
  #attempt: Attempt | undefined
  #handler: RequestHandler | undefined
  #timer: NodeJS.Timeout | undefined
  #retries = 0
  #kept: Buffer[] = []
  #keptBytes = 0
  #isReplayable = true
  isEnded = false
  #trailers: Fields | undefined
  #isAnswerPaused = false
  #isOver = false

  constructor(target: RetryTarget, head: RequestHead, response: ResponseHandler) {
    this.target = target
    this.head = head
    this.response = response
    target.budget.begin()
  }

  /** Sends the request with all of its body that has come so far. */
  start(): void {
    this.#timer = undefined
    const attempt = new Attempt(this)
    this.#attempt = attempt
    this.#handler = undefined
    let handler: RequestHandler
    try {
      handler = this.target.inner.call(this.head, attempt)
    } catch (thrown) {
      handler = ANSWERED
      attempt.onFail(MeshError.from(thrown), 'unsent')
    }
    if (this.#attempt !== attempt || this.#isOver) return
    this.#handler = handler
    attempt.setHandler(handler)
    if (this.#isAnswerPaused) handler.pause()
    // Whoever paused the caller is gone; the new attempt says for itself what it can take.
    if (this.#retries > 0 && !this.isEnded) this.response.onResume()
    for (const chunk of this.#kept) handler.data(chunk)
    if (this.isEnded) handler.end(this.#trailers)
  }

  data(chunk: Buffer): void {
    if (this.#isOver) return
    if (this.#isReplayable) this.#keep(chunk)
    this.#handler?.data(chunk)
  }

  end(trailers: Fields | undefined): void {
    this.isEnded = true
    this.#trailers = trailers
    this.#handler?.end(trailers)
  }

  cancel(error: MeshError): void {
    if (this.#isOver) return
    this.#isReplayable = false
    if (this.#timer === undefined && this.#handler !== undefined) {
      this.#handler.cancel(error)
      return
    }
    clearTimeout(this.#timer)
    this.over()
    this.response.onFail(error, 'unsent')
  }

  pause(): void {
    this.#isAnswerPaused = true
    this.#handler?.pause()
  }

  resume(): void {
    this.#isAnswerPaused = false
    this.#handler?.resume()
  }

  /** An answer is being handed on: nothing will be repeated. */
  commit(): void {
    this.#isReplayable = false
    this.#kept = []
  }

  over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.commit()
    this.target.budget.end(this.#retries)
  }

  /** True where another attempt has been put on its way, so that what came from this one is not handed on. */
  tryAgain(reason: RetryReason): boolean {
    const { budget, onRetry, settings, rule } = this.target
    const { attempts, backoffBaseMs, backoffMaxMs } = settings
    if (!this.#isReplayable || this.#retries >= attempts || !budget.tryTake()) return false
    const ceiling = Math.min(backoffMaxMs, backoffBaseMs * 2 ** this.#retries)
    this.#retries++
    onRetry(this.head, reason)
    this.#handler = undefined
    this.#attempt = undefined
    // Full jitter: those who failed together must not come back together.
    this.#timer = setTimeout(() => this.start(), (rule?.backoffMs ?? 0) + Math.random() * ceiling)
    return true
  }

  #keep(chunk: Buffer): void {
    this.#keptBytes += chunk.length
    if (this.#keptBytes <= MAX_KEPT_BYTES) this.#kept.push(chunk)
    else if (this.#handler === undefined) {
      // Between two attempts: nobody else has it, so it is kept, and no more is asked for.
      this.#kept.push(chunk)
      this.response.onPause()
    } else {
      this.#isReplayable = false
      this.#kept = []
    }
  }
}

/** The answer to one attempt: looked at until its head has been judged, then handed on. */
class Attempt extends ForwardingResponse {
  readonly #call: RetriedCall
  #isDropped = false
  #droppedBytes = 0
  #handler: RequestHandler | undefined

  constructor(call: RetriedCall) {
    super(call.response)
    this.#call = call
  }

  setHandler(handler: RequestHandler): void {
    this.#handler = handler
  }

  override onInterim(status: number, fields: Fields): void {
    if (!this.#isDropped) this.next.onInterim(status, fields)
  }

  override onHead(head: ResponseHead): void {
    const { target, head: request } = this.#call
    const reason = target.conditions.ofAnswer(request, head)
    if (reason !== undefined && this.#call.tryAgain(reason)) {
      this.#isDropped = true
      if (!this.#call.isEnded) this.#giveUp()
      return
    }
    this.#call.commit()
    this.next.onHead(head)
  }

  override onData(chunk: Buffer): void {
    if (!this.#isDropped) {
      this.next.onData(chunk)
      return
    }
    // A short refusal is read to its end, which saves the connection; a long one is not worth it.
    this.#droppedBytes += chunk.length
    if (this.#droppedBytes > MAX_KEPT_BYTES) this.#giveUp()
  }

  #giveUp(): void {
    this.#handler?.cancel(new MeshError('cancelled', 'another attempt was made instead'))
  }

  override onEnd(trailers: Fields | undefined): void {
    if (this.#isDropped) return
    this.#call.over()
    this.next.onEnd(trailers)
  }

  override onFail(error: MeshError, progress: Progress): void {
    if (this.#isDropped) return
    const { target, head: request } = this.#call
    const reason = target.conditions.ofFailure(request, error, progress)
    if (reason !== undefined && this.#call.tryAgain(reason)) {
      this.#isDropped = true
      return
    }
    this.#call.over()
    this.next.onFail(error, progress)
  }

  override onPause(): void {
    if (!this.#isDropped) this.next.onPause()
  }

  override onResume(): void {
    if (!this.#isDropped) this.next.onResume()
  }
}
