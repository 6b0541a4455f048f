/** How long to wait before the next attempt. Pure but for the dice. */

export interface BackoffSettings {
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
}

/** Longer than that no app holds up the key of a record; Kafka's own limit for a consumer that makes no progress. */
const MAX_ASKED_MS = 300_000

/**
 * Full jitter: anything from 0 to base × 2^(attempt-1), at most the maximum. What the app asks for with Retry-After is the
 * least, up to five minutes. `attempt` counts from 1: the one that has just failed.
 */
export function backoffMs(
  settings: BackoffSettings,
  attempt: number,
  retryAfterMs: number | undefined,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(settings.backoffMaxMs, settings.backoffBaseMs * 2 ** Math.min(attempt - 1, 30))
  const least = Math.min(MAX_ASKED_MS, retryAfterMs ?? 0)
  return Math.max(least, Math.round(random() * ceiling))
}

/** Retry-After in seconds or as a date (RFC 9110, 10.2.3); undefined where it is neither. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000
  // Date.parse takes almost anything; an HTTP date begins with the name of its day.
  const date = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
