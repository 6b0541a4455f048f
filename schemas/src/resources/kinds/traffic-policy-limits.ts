import { DEFAULT_ADAPTIVE_CONCURRENCY, DEFAULT_RATE_LIMIT_PERIOD_MS } from '../../snapshot-traffic.ts'
import { list, map, oneOf, text, wholeNumber } from './shapes.ts'
import { headerMatches, percent } from './traffic-policy-balancing.ts'
import { MAX_DURATION_MS, status } from './traffic-policy-retry.ts'

/** More would be a test of patience and no longer one of timeouts. */
const MAX_DELAY_MS = 300_000

export const faults = list(
  map({
    headers: headerMatches('Requests that have all of these headers; every request where absent.'),
    delay: map(
      {
        percent: percent('Of the requests.'),
        fixedMs: wholeNumber(1, MAX_DELAY_MS, 'How long they are held back.'),
      },
      ['percent', 'fixedMs'],
    ),
    abort: map(
      {
        percent: percent('Of the requests.'),
        httpStatus: status(200, 'The status that is answered.'),
        grpcStatus: wholeNumber(1, 16, 'The gRPC status that is answered, for a gRPC service.'),
      },
      ['percent'],
    ),
  }),
  'Faults that are made on purpose; the first whose headers match applies.',
  64,
)

const MAX_RATE = 1_000_000

export const rateLimits = list(
  map(
    {
      name: text('dns-label', 'Named in the answer and in metrics.'),
      paths: list(text('path-pattern', 'A path, or a prefix that ends in "*".'), 'Any where absent.', 64),
      methods: list(text('method', 'An HTTP method.'), 'Any where absent.', 16),
      requests: wholeNumber(1, MAX_RATE, 'Requests in each period.'),
      periodMs: { ...wholeNumber(1, MAX_DURATION_MS, 'The period.'), default: DEFAULT_RATE_LIMIT_PERIOD_MS },
      burst: wholeNumber(1, MAX_RATE, 'Requests at once after a pause; as many as `requests` where absent.'),
      per: {
        ...oneOf(['caller', 'all'], 'caller: for each identity; all: for all callers together.'),
        default: 'caller',
      },
    },
    ['name', 'requests'],
  ),
  'Checked by the sidecar of the service itself, or by the gateway; a request must have room in all that match it.',
  64,
)

export const adaptiveConcurrency = map({
  minLimit: {
    ...wholeNumber(1, 100_000, 'Requests at once that are always let through.'),
    default: DEFAULT_ADAPTIVE_CONCURRENCY.minLimit,
  },
  maxLimit: {
    ...wholeNumber(0, 100_000, 'The most, however fast the app is; 0: no limit at all.'),
    default: DEFAULT_ADAPTIVE_CONCURRENCY.maxLimit,
  },
  rttTolerance: {
    type: 'number',
    minimum: 1,
    maximum: 10,
    description: 'How many times its usual time an answer may take before the limit shrinks.',
    default: DEFAULT_ADAPTIVE_CONCURRENCY.rttTolerance,
  },
})
