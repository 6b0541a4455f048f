/** The traffic parts of a snapshot: see snapshot-traffic.ts. */
import {
  anyText,
  between,
  closed,
  EXACTLY_ONE,
  listOf,
  mapOf,
  object,
  oneOf,
  share,
  text,
  whole,
} from './snapshot-checks.ts'
import { BALANCERS, RETRY_CONDITIONS } from './snapshot-traffic.ts'

const percent = whole(0, 100)
const status = whole(200, 599)
const headers = listOf(object({ name: text }, { value: anyText }))

const RETRY = object({
  attempts: whole(0),
  on: listOf(oneOf(...RETRY_CONDITIONS)),
  statuses: listOf(status),
  perTryTimeoutMs: whole(0),
  backoffBaseMs: whole(0),
  backoffMaxMs: whole(0),
  budgetRatio: share,
  budgetMinConcurrent: whole(0),
})

const LOAD_BALANCING = object({
  policy: oneOf(...BALANCERS),
  hashOn: listOf(
    closed(
      {},
      { header: text, cookie: text, queryParameter: text, sourceIdentity: oneOf(true) },
      EXACTLY_ONE,
    ),
  ),
  slowStart: object({ windowMs: whole(0), aggression: between(0.1, 10), minWeightPercent: percent }),
  locality: object({ prefer: oneOf('none', 'zone'), failover: listOf(text) }),
  panicThresholdPercent: percent,
})

const SUBSET = object({
  name: text,
  labels: mapOf(anyText),
  headers,
  fallback: oneOf('none', 'any'),
})

const OUTLIER_DETECTION = object(
  {
    consecutiveFailures: whole(0),
    consecutiveGatewayFailures: whole(0),
    baseEjectionMs: whole(1),
    maxEjectionMs: whole(1),
    maxEjectionPercent: percent,
  },
  {
    successRate: object({
      intervalMs: whole(1),
      minHosts: whole(2),
      minRequests: whole(1),
      stdevFactor: between(0.1, 10),
    }),
  },
)

const HEALTH_CHECK = object({
  probe: closed(
    {},
    {
      http: object({ path: text, statuses: listOf(status, 1) }),
      tcp: oneOf(true),
      grpc: object({ service: anyText }),
    },
    EXACTLY_ONE,
  ),
  intervalMs: whole(1),
  timeoutMs: whole(1),
  unhealthyThreshold: whole(1),
  healthyThreshold: whole(1),
  jitterPercent: percent,
})

const FAULT = object(
  { headers },
  {
    delay: object({ percent, fixedMs: whole(1) }),
    abort: object({ percent }, { httpStatus: status, grpcStatus: whole(1, 16) }),
  },
)

/** How one service is called. */
export const TRAFFIC = object(
  {
    connectTimeoutMs: whole(1),
    requestTimeoutMs: whole(0),
    idleTimeoutMs: whole(1),
    maxConnections: whole(1),
    maxPendingRequests: whole(1),
    maxRequests: whole(0),
    retry: RETRY,
    loadBalancing: LOAD_BALANCING,
    subsets: listOf(SUBSET),
    outlierDetection: OUTLIER_DETECTION,
    faults: listOf(FAULT),
  },
  { healthCheck: HEALTH_CHECK },
)

/** A member that is not known may be the one that limits: closed. */
export const RATE_LIMITS = listOf(
  closed(
    {
      name: text,
      paths: listOf(text),
      methods: listOf(text),
      requests: whole(1),
      periodMs: whole(1),
      burst: whole(1),
      per: oneOf('caller', 'all'),
    },
    {},
  ),
)

/** What the receiver lets through: closed, as above. */
export const INBOUND_TRAFFIC = closed(
  { rateLimits: RATE_LIMITS },
  {
    adaptiveConcurrency: object({ minLimit: whole(1), maxLimit: whole(1), rttTolerance: between(1, 10) }),
  },
)
