/** Tokens that come back evenly: `burst` may be taken at once, and `requests` in each period after that. */
import type { RateLimit } from '@weft/schemas/snapshot'

export type Rate = Pick<RateLimit, 'requests' | 'periodMs' | 'burst'>

interface Bucket {
  tokens: number
  updatedAt: number
}

/** More callers than a service has; beyond, those that have been quiet longest begin anew. Bounds what callers can fill. */
const MAX_BUCKETS = 10_000

/** A bucket for each key, at most MAX_BUCKETS. Times are those of `performance.now()`. */
export class TokenBuckets {
  readonly #rate: Rate
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Tokens of a key, as they are now. */
  available(key: string, now: number): number {
    const { requests, periodMs, burst } = this.#rate
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) return burst
    return Math.min(burst, bucket.tokens + ((now - bucket.updatedAt) * requests) / periodMs)
  }

  /** Takes one that `available` has said to be there. */
  take(key: string, now: number): void {
    const tokens = this.available(key, now) - 1
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens, updatedAt: now })
    if (this.#buckets.size <= MAX_BUCKETS) return
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest)
      return
    }
  }

  /** Until so many tokens are there, with nothing taken meanwhile. */
  msUntil(tokens: number, key: string, now: number): number {
    const { requests, periodMs } = this.#rate
    return Math.max(0, ((tokens - this.available(key, now)) * periodMs) / requests)
  }
}
