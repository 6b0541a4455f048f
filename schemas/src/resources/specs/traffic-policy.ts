import type {
  FaultInjection,
  HealthCheck,
  HealthProbe,
  InboundTraffic,
  RateLimit,
  Subset,
  TrafficSettings,
} from '../../snapshot-traffic.ts'

/** What of some settings a policy says: a part of every map, but lists and probes as a whole. */
type Said<T> = T extends readonly unknown[] | HealthProbe
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Said<T[K]> }
    : T

/** What of the traffic it is about, exactly one member. The more specific says, field by field: service, namespace, mesh. A gateway is none of these. */
export interface TrafficTarget {
  /** A Service of the namespace of the policy. */
  readonly service?: string
  /** All Services of the namespace of the policy. */
  readonly namespace?: true
  readonly mesh?: true
  /** A Gateway of the namespace of the policy: what it lets in, `rateLimits` only. */
  readonly gateway?: string
}

/**
 * How services are called, and what they let through. Members that are absent are left to a less specific policy, in the end
 * to the defaults (DEFAULT_TRAFFIC): they are filled in when policies have been laid over one another.
 */
export type TrafficPolicySpec = { readonly target: TrafficTarget } & Said<TrafficSettings> &
  Said<InboundTraffic>

type SubsetInput = Pick<Subset, 'name' | 'labels'> & Partial<Subset>
type RateLimitInput = Pick<RateLimit, 'name' | 'requests'> & Partial<RateLimit>
type HealthProbeInput = Omit<HealthProbe, 'http' | 'grpc'> & {
  readonly http?: { readonly path: string; readonly statuses?: readonly number[] }
  readonly grpc?: { readonly service?: string }
}

export type TrafficPolicySpecInput = Omit<
  TrafficPolicySpec,
  'subsets' | 'faults' | 'rateLimits' | 'healthCheck'
> & {
  readonly subsets?: readonly SubsetInput[]
  readonly faults?: readonly Partial<FaultInjection>[]
  readonly rateLimits?: readonly RateLimitInput[]
  readonly healthCheck?: Partial<Omit<HealthCheck, 'probe'>> & { readonly probe?: HealthProbeInput }
}
