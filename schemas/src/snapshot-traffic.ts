/**
 * How a service is called, and what its own sidecar lets through: what TrafficPolicies say over the defaults, complete.
 * Names follow Envoy's. Durations in milliseconds, percentages from 0 to 100.
 */

/** Kubernetes' well-known label of a workload: where it runs. */
export const ZONE_LABEL = 'topology.kubernetes.io/zone'

export const BALANCERS = ['leastRequest', 'roundRobin', 'random', 'ringHash', 'maglev'] as const
export type Balancer = (typeof BALANCERS)[number]

/** For what a request is sent again. Beyond the connection they are gRPC statuses, but for the last three. */
export const RETRY_CONDITIONS = [
  'connect-failure',
  'refused-stream',
  'reset',
  'cancelled',
  'deadline-exceeded',
  'resource-exhausted',
  'unavailable',
  'per-try-timeout',
  'gateway-error',
  '5xx',
] as const
export type RetryCondition = (typeof RETRY_CONDITIONS)[number]

/** How a service is called, by every sidecar that calls it. */
export interface TrafficSettings {
  readonly connectTimeoutMs: number
  /** From the end of the request to the head of its answer, all attempts together; 0: no limit. */
  readonly requestTimeoutMs: number
  /** A connection that has carried nothing for so long is closed. */
  readonly idleTimeoutMs: number
  readonly maxConnections: number
  readonly maxPendingRequests: number
  /** Requests in flight, waiting ones included; 0: no limit. */
  readonly maxRequests: number
  readonly retry: RetrySettings
  readonly loadBalancing: LoadBalancing
  readonly subsets: readonly Subset[]
  readonly outlierDetection: OutlierDetection
  readonly healthCheck?: HealthCheck
  /** The first whose headers match applies. */
  readonly faults: readonly FaultInjection[]
}

export interface RetrySettings {
  /** Attempts after the first one. */
  readonly attempts: number
  readonly on: readonly RetryCondition[]
  /** Statuses for which a request of an idempotent method is sent again. */
  readonly statuses: readonly number[]
  /** For each attempt, as requestTimeoutMs is for all; 0: no limit. */
  readonly perTryTimeoutMs: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  /** Share of the active requests that may be retries, 0 to 1. */
  readonly budgetRatio: number
  /** Retries that are always permitted at once, whatever the share. */
  readonly budgetMinConcurrent: number
}

export interface LoadBalancing {
  readonly policy: Balancer
  /** For ringHash and maglev: the first that a request has is its key. Without any the endpoint is drawn. */
  readonly hashOn: readonly HashKey[]
  readonly slowStart: SlowStart
  readonly locality: Locality
  /** When fewer endpoints than this are healthy, all are used: those that are left must not be crushed. */
  readonly panicThresholdPercent: number
}

/** Exactly one member. */
export interface HashKey {
  readonly header?: string
  readonly cookie?: string
  readonly queryParameter?: string
  /** Of the caller: all requests of one workload go to one endpoint. */
  readonly sourceIdentity?: true
}

/** For roundRobin and leastRequest: an endpoint that is new gets its share of the load little by little. */
export interface SlowStart {
  /** 0: none. */
  readonly windowMs: number
  /** 1: the share grows evenly; more: faster at first. */
  readonly aggression: number
  readonly minWeightPercent: number
}

export interface Locality {
  /** zone: endpoints of the caller's zone first, others when too few of them are healthy. */
  readonly prefer: 'none' | 'zone'
  /** Zones in the order in which they stand in, after the caller's own; those that are not named come last, together. */
  readonly failover: readonly string[]
}

/** Those endpoints that have all of the labels, for requests that have all of the headers. The first that matches counts. */
export interface Subset {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly headers: readonly HeaderMatch[]
  /** What happens when there are none: refused, or any endpoint of the service. */
  readonly fallback: 'none' | 'any'
}

/** A header that has exactly this value; without `value` any. Names in lower case. */
export interface HeaderMatch {
  readonly name: string
  readonly value?: string
}

export interface OutlierDetection {
  /** Statuses from 500, gRPC UNAVAILABLE, resets and connections that cannot be made, one after another; 0: not looked at. */
  readonly consecutiveFailures: number
  /** The same for 502, 503 and 504 and failures to connect alone; 0: not looked at. */
  readonly consecutiveGatewayFailures: number
  /** How long the first ejection lasts; the second twice as long, and so on up to `maxEjectionMs`. */
  readonly baseEjectionMs: number
  readonly maxEjectionMs: number
  /** Of the endpoints of a service; one may always go. */
  readonly maxEjectionPercent: number
  readonly successRate?: SuccessRate
}

/** Ejects what succeeds far less often than the others do. */
export interface SuccessRate {
  readonly intervalMs: number
  /** Endpoints that have enough requests, below which nothing is compared. */
  readonly minHosts: number
  readonly minRequests: number
  /** Standard deviations below the mean of all. */
  readonly stdevFactor: number
}

export interface HealthCheck {
  readonly probe: HealthProbe
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly unhealthyThreshold: number
  readonly healthyThreshold: number
  /** Of the interval, at random, so that the callers of a service do not ask all at once. */
  readonly jitterPercent: number
}

/** Exactly one member. All go over the mesh connection: what is asked is the app, by the identity of the caller. */
export interface HealthProbe {
  readonly http?: { readonly path: string; readonly statuses: readonly number[] }
  /** The mTLS connection can be made. */
  readonly tcp?: true
  /** grpc.health.v1.Health/Check; the service may be empty. */
  readonly grpc?: { readonly service: string }
}

export interface FaultInjection {
  readonly headers: readonly HeaderMatch[]
  readonly delay?: { readonly percent: number; readonly fixedMs: number }
  /** Either of both statuses. */
  readonly abort?: { readonly percent: number; readonly httpStatus?: number; readonly grpcStatus?: number }
}

/** What the sidecar of a service lets through to its app. Absent members: no limit. */
export interface InboundTraffic {
  /** All that match a request must have room for it. */
  readonly rateLimits: readonly RateLimit[]
  readonly adaptiveConcurrency?: AdaptiveConcurrency
}

/** A token bucket: `burst` at once, refilled by `requests` every `periodMs`. */
export interface RateLimit {
  readonly name: string
  /** Paths, or prefixes that end in `*`; empty: all. */
  readonly paths: readonly string[]
  readonly methods: readonly string[]
  readonly requests: number
  readonly periodMs: number
  readonly burst: number
  /** caller: a bucket for each caller's identity; all: one for all of them. */
  readonly per: 'caller' | 'all'
}

/** The limit of requests at the app follows the time that it takes (Netflix' Gradient2). */
export interface AdaptiveConcurrency {
  readonly minLimit: number
  readonly maxLimit: number
  /** How many times its usual time an answer may take before the limit shrinks. */
  readonly rttTolerance: number
}

/** The defaults of DESIGN.md, from the field: Envoy's, Linkerd's and gRPC's own. */
export const DEFAULT_TRAFFIC: TrafficSettings = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 15_000,
  // Below the 75 s after which the inbound side of the peer would close.
  idleTimeoutMs: 60_000,
  maxConnections: 1024,
  maxPendingRequests: 1024,
  // Connections and pending requests are limited already.
  maxRequests: 0,
  retry: {
    attempts: 2,
    on: ['connect-failure', 'refused-stream', 'reset', 'unavailable', 'cancelled', 'per-try-timeout'],
    statuses: [503],
    perTryTimeoutMs: 0,
    backoffBaseMs: 25,
    backoffMaxMs: 250,
    budgetRatio: 0.2,
    budgetMinConcurrent: 3,
  },
  loadBalancing: {
    policy: 'leastRequest',
    hashOn: [],
    slowStart: { windowMs: 0, aggression: 1, minWeightPercent: 10 },
    // A zone with few endpoints would be overrun by its callers: somebody has to know that zones are of a size.
    locality: { prefer: 'none', failover: [] },
    panicThresholdPercent: 50,
  },
  subsets: [],
  outlierDetection: {
    consecutiveFailures: 5,
    consecutiveGatewayFailures: 0,
    baseEjectionMs: 30_000,
    maxEjectionMs: 300_000,
    maxEjectionPercent: 10,
  },
  faults: [],
}

/** What a health check is where only a part of one is said. A port that opens is the least that every endpoint has. */
export const DEFAULT_HEALTH_CHECK: HealthCheck = {
  probe: { tcp: true },
  intervalMs: 10_000,
  timeoutMs: 1_000,
  unhealthyThreshold: 3,
  healthyThreshold: 2,
  jitterPercent: 10,
}
export const DEFAULT_PROBE_STATUSES: readonly number[] = [200]

/** Envoy's. */
export const DEFAULT_SUCCESS_RATE: SuccessRate = {
  intervalMs: 10_000,
  minHosts: 5,
  minRequests: 100,
  stdevFactor: 1.9,
}

/** Netflix' Gradient2, but for a floor that a small app can bear. */
export const DEFAULT_ADAPTIVE_CONCURRENCY: AdaptiveConcurrency = {
  minLimit: 10,
  maxLimit: 1_000,
  rttTolerance: 1.5,
}

export const DEFAULT_RATE_LIMIT_PERIOD_MS = 1_000
