/**
 * Local rate limits: what is over the limit is answered with 429, Retry-After, and the fields of
 * draft-ietf-httpapi-ratelimit-headers, which tell every caller what it has left.
 */
import { MeshError } from '@weft/schemas/error'
import type { Metrics } from '@weft/schemas/node/metrics'
import { normalisePath } from '@weft/schemas/policy'
import type { RateLimit } from '@weft/schemas/snapshot'
import {
  type Fields,
  ForwardingResponse,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  type Service,
} from '../transport/exchange.ts'
import { TokenBuckets } from './token-bucket.ts'

export interface RateLimitOptions {
  /** Of the current snapshot: another list, another configuration. */
  readonly limits: () => readonly RateLimit[] | undefined
  /** What has a bucket of its own where a limit is per caller. */
  readonly callerOf: (head: RequestHead) => string
  readonly metrics: Metrics
}

export function limitRates(inner: Service, { limits, callerOf, metrics }: RateLimitOptions): Service {
  const limited = metrics.counter('weft_rate_limited_total')
  const limiter = new RateLimiter()
  return {
    call(head, response) {
      const configured = limits()
      if (configured === undefined || configured.length === 0) return inner.call(head, response)
      const state = limiter.ask(configured, head, callerOf(head))
      if (state === undefined) return inner.call(head, response)
      const fields = fieldsOf(state)
      if (state.isAllowed) return inner.call(head, new LimitedResponse(response, fields))
      const { name } = state.limit
      limited.inc({
        source: head.peer.id?.serviceAccount ?? '-',
        destination: head.notes.service,
        limit: name,
      })
      fields.push('retry-after', String(Math.ceil(state.resetMs / 1000)))
      throw new MeshError('rate_limited', describe(state.limit), { fields })
    },
  }
}

/** What is left of the limit that is nearest to its end. */
interface LimitState {
  readonly limit: RateLimit
  readonly isAllowed: boolean
  readonly remaining: number
  /** Allowed: until the bucket is full again. Otherwise until the next request may come. */
  readonly resetMs: number
}

interface ActiveLimit {
  readonly limit: RateLimit
  readonly written: string
  readonly buckets: TokenBuckets
}

class RateLimiter {
  #configured: readonly RateLimit[] | undefined
  #active: readonly ActiveLimit[] = []

  /** Takes a token of each limit that the request falls under, or of none. Undefined: it falls under none. */
  ask(configured: readonly RateLimit[], head: RequestHead, caller: string): LimitState | undefined {
    if (configured !== this.#configured) this.#adopt(configured)
    const matching = this.#active.filter(({ limit }) => matches(limit, head))
    const now = performance.now()
    const states = matching.map(({ limit, buckets }) => {
      const key = limit.per === 'caller' ? caller : ''
      return { limit, buckets, key, tokens: buckets.available(key, now) }
    })
    const [tightest] = states.toSorted((a, b) => a.tokens - b.tokens)
    if (tightest === undefined) return undefined
    const { limit, buckets, key } = tightest
    const isAllowed = tightest.tokens >= 1
    if (isAllowed) for (const state of states) state.buckets.take(state.key, now)
    return {
      limit,
      isAllowed,
      remaining: Math.max(0, Math.floor(buckets.available(key, now))),
      resetMs: buckets.msUntil(isAllowed ? limit.burst : 1, key, now),
    }
  }

  /** A limit that has not changed goes on as it is: a new snapshot is no pardon. */
  #adopt(configured: readonly RateLimit[]): void {
    const before = new Map(this.#active.map((active) => [active.written, active.buckets]))
    this.#active = configured.map((limit) => {
      const written = JSON.stringify(limit)
      return { limit, written, buckets: before.get(written) ?? new TokenBuckets(limit) }
    })
    this.#configured = configured
  }
}

function matches({ methods, paths }: RateLimit, { method, target }: RequestHead): boolean {
  if (methods.length > 0 && !methods.includes(method)) return false
  if (paths.length === 0) return true
  const query = target.indexOf('?')
  // As the access policy reads it: no spelling of a path gets round its limit.
  const path = normalisePath(query === -1 ? target : target.slice(0, query))
  // What has no normal form was refused before.
  if (path === undefined) return false
  return paths.some((one) => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : path === one))
}

function describe({ name, requests, periodMs, per }: RateLimit): string {
  const whose = per === 'caller' ? 'of each caller' : 'of all callers together'
  return `limit ${name}: expected at most ${requests} requests ${whose} in ${periodMs} ms`
}

/** Seconds are whole in these fields: a shorter period is said as the quota of a second. */
function fieldsOf({ limit: { name, requests, periodMs }, remaining, resetMs }: LimitState): Fields {
  const windowSeconds = Math.max(1, Math.round(periodMs / 1000))
  const quota = Math.floor((requests * windowSeconds * 1000) / periodMs)
  return [
    'ratelimit-policy',
    `"${name}";q=${quota};w=${windowSeconds}`,
    'ratelimit',
    `"${name}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`,
  ]
}

class LimitedResponse extends ForwardingResponse {
  readonly #fields: Fields

  constructor(next: ResponseHandler, fields: Fields) {
    super(next)
    this.#fields = fields
  }

  override onHead(head: ResponseHead): void {
    head.fields.push(...this.#fields)
    this.next.onHead(head)
  }
}
