import {
  DEFAULT_HEALTH_CHECK,
  DEFAULT_PROBE_STATUSES,
  DEFAULT_SUCCESS_RATE,
  DEFAULT_TRAFFIC,
} from '../../snapshot-traffic.ts'
import { exactlyOne, list, map, onlyTrue, text, wholeNumber } from './shapes.ts'
import { percent } from './traffic-policy-balancing.ts'
import { MAX_DURATION_MS, status } from './traffic-policy-retry.ts'

const { outlierDetection: defaults } = DEFAULT_TRAFFIC

export const outlierDetection = map({
  consecutiveFailures: {
    ...wholeNumber(
      0,
      1000,
      'One after another: statuses from 500, gRPC UNAVAILABLE, resets, failures to connect; 0: not looked at.',
    ),
    default: defaults.consecutiveFailures,
  },
  consecutiveGatewayFailures: {
    ...wholeNumber(0, 1000, 'The same for 502, 503, 504 and failures to connect alone; 0: not looked at.'),
    default: defaults.consecutiveGatewayFailures,
  },
  baseEjectionMs: {
    ...wholeNumber(
      1,
      MAX_DURATION_MS,
      'How long the first ejection lasts; the second is twice as long, and so on.',
    ),
    default: defaults.baseEjectionMs,
  },
  maxEjectionMs: {
    ...wholeNumber(1, MAX_DURATION_MS, 'The longest ejection.'),
    default: defaults.maxEjectionMs,
  },
  maxEjectionPercent: {
    ...percent('Of the endpoints at once; one may always go.'),
    default: defaults.maxEjectionPercent,
  },
  successRate: map({
    intervalMs: {
      ...wholeNumber(0, MAX_DURATION_MS, 'How often endpoints are compared; 0: never.'),
      default: DEFAULT_SUCCESS_RATE.intervalMs,
    },
    minHosts: {
      ...wholeNumber(2, 1000, 'Endpoints with enough requests, below which nothing is compared.'),
      default: DEFAULT_SUCCESS_RATE.minHosts,
    },
    minRequests: {
      ...wholeNumber(1, 1_000_000, 'Enough requests, in one interval.'),
      default: DEFAULT_SUCCESS_RATE.minRequests,
    },
    stdevFactor: {
      type: 'number',
      minimum: 0.1,
      maximum: 10,
      description: 'Standard deviations below the mean of all at which one is ejected.',
      default: DEFAULT_SUCCESS_RATE.stdevFactor,
    },
  }),
})

export const healthCheck = map({
  probe: {
    ...exactlyOne({
      http: map(
        {
          path: text('path', 'What is asked for, with GET; the access policy has to allow it.'),
          statuses: {
            ...list(status(200, 'An HTTP status.'), 'Statuses of a healthy endpoint.', 64),
            default: DEFAULT_PROBE_STATUSES,
          },
        },
        ['path'],
      ),
      tcp: onlyTrue('The mTLS connection can be made.'),
      grpc: map({
        service: text('grpc-service', 'For grpc.health.v1.Health/Check; the whole server where absent.'),
      }),
    }),
    description: 'What is asked, over the mesh; that the connection can be made (tcp) where absent.',
  },
  intervalMs: {
    ...wholeNumber(0, MAX_DURATION_MS, 'How often; 0: never.'),
    default: DEFAULT_HEALTH_CHECK.intervalMs,
  },
  timeoutMs: {
    ...wholeNumber(1, MAX_DURATION_MS, 'For one check.'),
    default: DEFAULT_HEALTH_CHECK.timeoutMs,
  },
  unhealthyThreshold: {
    ...wholeNumber(
      1,
      100,
      'Failures, one after another, that make an endpoint unhealthy; the very first check alone does too.',
    ),
    default: DEFAULT_HEALTH_CHECK.unhealthyThreshold,
  },
  healthyThreshold: {
    ...wholeNumber(1, 100, 'Successes, one after another, that make it healthy again.'),
    default: DEFAULT_HEALTH_CHECK.healthyThreshold,
  },
  jitterPercent: {
    ...percent('Of the interval, added at random.'),
    default: DEFAULT_HEALTH_CHECK.jitterPercent,
  },
})
