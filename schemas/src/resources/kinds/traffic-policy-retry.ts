import { DEFAULT_TRAFFIC, RETRY_CONDITIONS } from '../../snapshot-traffic.ts'
import { list, map, oneOf, wholeNumber } from './shapes.ts'

/** An hour: longer is no timeout but a resource held for nobody. */
export const MAX_DURATION_MS = 3_600_000

const { retry: defaults } = DEFAULT_TRAFFIC

/** An HTTP status as a number of the schema. */
export const status = (minimum: number, description: string) => wholeNumber(minimum, 599, description)

export const retry = map({
  attempts: { ...wholeNumber(0, 10, 'Attempts after the first.'), default: defaults.attempts },
  on: {
    ...list(
      oneOf(RETRY_CONDITIONS, 'A condition.'),
      'For what a request is sent again: what the connection, the peer or gRPC said.',
      RETRY_CONDITIONS.length,
    ),
    default: defaults.on,
  },
  statuses: {
    ...list(
      status(400, 'An HTTP status.'),
      'For these too, where the method is idempotent (RFC 9110, section 9.2.2).',
      64,
    ),
    default: defaults.statuses,
  },
  perTryTimeoutMs: {
    ...wholeNumber(0, MAX_DURATION_MS, 'As requestTimeoutMs, for each attempt; 0: no limit.'),
    default: defaults.perTryTimeoutMs,
  },
  backoffBaseMs: {
    ...wholeNumber(
      1,
      MAX_DURATION_MS,
      'Most that is waited before the second attempt; doubles, with full jitter.',
    ),
    default: defaults.backoffBaseMs,
  },
  backoffMaxMs: {
    ...wholeNumber(1, MAX_DURATION_MS, 'Most that is waited before any attempt.'),
    default: defaults.backoffMaxMs,
  },
  budgetRatio: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    description: 'Share of the requests in flight that may be retries.',
    default: defaults.budgetRatio,
  },
  budgetMinConcurrent: {
    ...wholeNumber(0, 1000, 'Retries at once that are permitted whatever the share.'),
    default: defaults.budgetMinConcurrent,
  },
})
