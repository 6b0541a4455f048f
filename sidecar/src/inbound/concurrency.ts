/** Refuses at once what the app cannot take, instead of letting it wait until its caller has gone. */
import { MeshError } from '@weft/schemas/error'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { AdaptiveConcurrency } from '@weft/schemas/snapshot'
import {
  type ResponseHandler,
  type ResponseHead,
  type Service,
  WatchedResponse,
} from '../transport/exchange.ts'
import { GradientLimit } from './gradient-limit.ts'

export interface ConcurrencyOptions {
  /** Of the current snapshot; undefined: no limit. */
  readonly settings: () => AdaptiveConcurrency | undefined
  readonly metrics: Metrics
}

export function limitConcurrency(inner: Service, { settings, metrics }: ConcurrencyOptions): Service {
  const gauge = metrics.gauge('weft_concurrency_limit')
  let known: AdaptiveConcurrency | undefined
  let limit: AppLimit | undefined

  /** What was learned holds until the settings are other ones; what is in flight then counts with those that it began under. */
  const limitOf = (now: AdaptiveConcurrency): AppLimit => {
    if (limit === undefined || (now !== known && JSON.stringify(now) !== JSON.stringify(known)))
      limit = new AppLimit(now, (value) => gauge.set(value))
    known = now
    return limit
  }
  return {
    call(head, response) {
      const now = settings()
      if (now === undefined) return inner.call(head, response)
      const admitted = limitOf(now).admit(response)
      try {
        return inner.call(head, admitted)
      } catch (thrown) {
        admitted.release()
        throw thrown
      }
    },
  }
}

class AppLimit {
  readonly #gradient: GradientLimit
  readonly #onLimit: (limit: number) => void
  #inFlight = 0

  constructor(settings: AdaptiveConcurrency, onLimit: (limit: number) => void) {
    this.#gradient = new GradientLimit(settings)
    this.#onLimit = onLimit
    onLimit(this.#gradient.limit)
  }

  /** Throws `overloaded`. */
  admit(response: ResponseHandler): AdmittedResponse {
    const { limit } = this.#gradient
    if (this.#inFlight >= limit)
      throw new MeshError('overloaded', `the app: expected at most ${limit} requests at once`)
    this.#inFlight++
    return new AdmittedResponse(response, this)
  }

  answered(rttMs: number, now: number): void {
    const { limit } = this.#gradient
    this.#gradient.observe(rttMs, this.#inFlight, now)
    if (this.#gradient.limit !== limit) this.#onLimit(this.#gradient.limit)
  }

  leave(): void {
    this.#inFlight--
  }
}

class AdmittedResponse extends WatchedResponse {
  readonly #limit: AppLimit
  readonly #startedAt = performance.now()
  #isReleased = false

  constructor(next: ResponseHandler, limit: AppLimit) {
    super(next)
    this.#limit = limit
  }

  /** The time to its head: how long an answer is says nothing of the load. */
  override onHead(head: ResponseHead): void {
    const now = performance.now()
    this.#limit.answered(now - this.#startedAt, now)
    super.onHead(head)
  }

  protected override ended(): void {
    this.release()
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#limit.leave()
  }
}
