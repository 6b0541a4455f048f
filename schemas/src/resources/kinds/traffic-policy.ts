import {
  DEFAULT_PROBE_STATUSES,
  DEFAULT_RATE_LIMIT_PERIOD_MS,
  DEFAULT_TRAFFIC,
  type FaultInjection,
  type HeaderMatch,
  type HealthProbe,
  type TrafficSettings,
} from '../../snapshot-traffic.ts'
import type { TrafficPolicySpec, TrafficPolicySpecInput } from '../specs/traffic-policy.ts'
import type { JsonSchema, KindDefinition } from './definition.ts'
import { exactlyOne, map, onlyTrue, resource, text, wholeNumber } from './shapes.ts'
import { loadBalancing, subsets } from './traffic-policy-balancing.ts'
import { trafficFaults } from './traffic-policy-faults.ts'
import { healthCheck, outlierDetection } from './traffic-policy-health.ts'
import { adaptiveConcurrency, faults, rateLimits } from './traffic-policy-limits.ts'
import { MAX_DURATION_MS, retry } from './traffic-policy-retry.ts'

type ScalarName = {
  [K in keyof TrafficSettings]: TrafficSettings[K] extends number ? K : never
}[keyof TrafficSettings] &
  string

const target = exactlyOne({
  service: text('dns-label', 'A Service or ExternalService of the namespace of this policy.'),
  namespace: onlyTrue('All of the namespace of this policy.'),
  mesh: onlyTrue('All of them.'),
  gateway: text(
    'dns-label',
    'A Gateway of the namespace of this policy: what it lets in. Only `rateLimits`.',
  ),
})

/** More than one process can hold. */
const MAX_LIMIT = 1_000_000
/** The inbound side of the peer closes after 75 s: be there first. */
const MAX_IDLE_TIMEOUT_MS = 70_000

function withDefault(name: ScalarName, minimum: number, description: string): JsonSchema {
  const maximum = name.endsWith('Ms') ? MAX_DURATION_MS : MAX_LIMIT
  return { ...wholeNumber(minimum, maximum, description), default: DEFAULT_TRAFFIC[name] }
}

const spec = map(
  {
    target,
    connectTimeoutMs: withDefault('connectTimeoutMs', 1, 'For one connection, its handshake included.'),
    requestTimeoutMs: withDefault(
      'requestTimeoutMs',
      0,
      'From the end of the request to the head of its answer, all attempts together; 0: no limit.',
    ),
    idleTimeoutMs: {
      ...withDefault('idleTimeoutMs', 1, 'A connection that has carried nothing for so long is closed.'),
      maximum: MAX_IDLE_TIMEOUT_MS,
    },
    maxConnections: withDefault('maxConnections', 1, 'From one sidecar to the service.'),
    maxPendingRequests: withDefault('maxPendingRequests', 1, 'Requests that wait for a connection.'),
    maxRequests: withDefault('maxRequests', 0, 'Requests in flight; 0: no limit.'),
    retry,
    loadBalancing,
    subsets,
    outlierDetection,
    healthCheck,
    faults,
    rateLimits,
    adaptiveConcurrency,
  },
  ['target'],
)

export const trafficPolicy: KindDefinition<'TrafficPolicy'> = {
  kind: 'TrafficPolicy',
  plural: 'trafficpolicies',
  schema: resource({ kind: 'TrafficPolicy', spec }),
  check: trafficFaults,
  complete: ({ spec: given }) => completed(given),
}

/** Entries of lists are completed; members of maps stay absent where a less specific policy may say them. */
function completed({
  subsets: parts,
  faults: injected,
  rateLimits: limits,
  healthCheck: health,
  loadBalancing: balancing,
  ...said
}: TrafficPolicySpecInput): TrafficPolicySpec {
  return {
    ...said,
    ...(balancing !== undefined && {
      loadBalancing: {
        ...balancing,
        ...(balancing.hashOn !== undefined && {
          hashOn: balancing.hashOn.map((key) =>
            key.header === undefined ? key : { header: key.header.toLowerCase() },
          ),
        }),
      },
    }),
    ...(parts !== undefined && {
      subsets: parts.map(({ name, labels, headers, fallback }) => ({
        name,
        labels,
        headers: lowerCased(headers),
        fallback: fallback ?? 'none',
      })),
    }),
    ...(injected !== undefined && {
      faults: injected.map(
        ({ headers, ...fault }): FaultInjection => ({ ...fault, headers: lowerCased(headers) }),
      ),
    }),
    ...(limits !== undefined && {
      rateLimits: limits.map(({ name, paths, methods, requests, periodMs, burst, per }) => ({
        name,
        paths: paths ?? [],
        methods: methods ?? [],
        requests,
        periodMs: periodMs ?? DEFAULT_RATE_LIMIT_PERIOD_MS,
        burst: burst ?? requests,
        per: per ?? 'caller',
      })),
    }),
    ...(health !== undefined && { healthCheck: completedHealth(health) }),
  }
}

function completedHealth({
  probe,
  ...said
}: NonNullable<TrafficPolicySpecInput['healthCheck']>): NonNullable<TrafficPolicySpec['healthCheck']> {
  if (probe === undefined) return said
  const { http, grpc } = probe
  const whole: HealthProbe =
    http !== undefined
      ? { http: { path: http.path, statuses: http.statuses ?? DEFAULT_PROBE_STATUSES } }
      : grpc !== undefined
        ? { grpc: { service: grpc.service ?? '' } }
        : { tcp: true }
  return { ...said, probe: whole }
}

const lowerCased = (headers: readonly HeaderMatch[] = []): readonly HeaderMatch[] =>
  headers.map((header) => ({ ...header, name: header.name.toLowerCase() }))
