/** TrafficPolicies → what holds for one service: laid over one another, the more specific one on top, field by field. */
import type { Metadata, TrafficPolicyResource, TrafficTarget } from '@weft/schemas/resources'
import {
  DEFAULT_ADAPTIVE_CONCURRENCY,
  DEFAULT_HEALTH_CHECK,
  DEFAULT_SUCCESS_RATE,
  DEFAULT_TRAFFIC,
  type InboundTraffic,
  type TrafficSettings,
} from '@weft/schemas/snapshot'

export interface ServiceTraffic {
  readonly outbound: TrafficSettings
  /** Undefined: everything is let through. */
  readonly inbound: InboundTraffic | undefined
}

/** What the policies say of this service, of the mesh or outside of it, complete. Of two with one target the first speaks; the second is reported as a fault. */
export function trafficOf(
  policies: readonly TrafficPolicyResource[],
  service: { readonly metadata: Metadata },
): ServiceTraffic {
  const said = SPECIFICITY.map((speaks) => policies.find((policy) => speaks(policy, service)))
    .filter((policy) => policy !== undefined)
    .reduce<Fields>((under, { spec: { target: _target, ...over } }) => overlay(under, over), {})
  const { rateLimits, adaptiveConcurrency, ...outbound } = said
  return {
    outbound: completed(overlay({ ...DEFAULT_TRAFFIC }, outbound)),
    inbound: inboundTraffic(rateLimits, adaptiveConcurrency),
  }
}

const isOf =
  (member: Exclude<keyof TrafficTarget, 'service'>) =>
  (policy: TrafficPolicyResource, service: { readonly metadata: Metadata }): boolean =>
    policy.spec.target[member] === true &&
    (member === 'mesh' || policy.metadata.namespace === service.metadata.namespace)

/** From the least to the most specific. */
const SPECIFICITY = [
  isOf('mesh'),
  isOf('namespace'),
  ({ metadata, spec }: TrafficPolicyResource, service: { readonly metadata: Metadata }): boolean =>
    spec.target.service === service.metadata.name && metadata.namespace === service.metadata.namespace,
] as const

type Fields = Readonly<Record<string, unknown>>

/** Maps member by member; lists and whatever is exactly one of several as a whole. */
function overlay(under: Fields, over: Fields): Fields {
  const laid: Record<string, unknown> = { ...under }
  for (const [name, value] of Object.entries(over)) {
    const below = laid[name]
    laid[name] = isFields(value) && isFields(below) && name !== 'probe' ? overlay(below, value) : value
  }
  return laid
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Features that are off unless somebody speaks of them get the defaults of what nobody said; an interval of 0 is off again. */
function completed({ healthCheck, outlierDetection, ...rest }: Fields): TrafficSettings {
  const { successRate, ...detection } = isFields(outlierDetection) ? outlierDetection : {}
  const check = orOff({ ...DEFAULT_HEALTH_CHECK }, healthCheck, 'intervalMs')
  const rate = orOff({ ...DEFAULT_SUCCESS_RATE }, successRate, 'intervalMs')
  // The policies have passed their schema, and the defaults have every member.
  return {
    ...rest,
    outlierDetection: { ...detection, ...(rate !== undefined && { successRate: rate }) },
    ...(check !== undefined && { healthCheck: check }),
  } as unknown as TrafficSettings
}

function inboundTraffic(rateLimits: unknown, concurrency: unknown): InboundTraffic | undefined {
  const adaptive = orOff({ ...DEFAULT_ADAPTIVE_CONCURRENCY }, concurrency, 'maxLimit')
  if (rateLimits === undefined && adaptive === undefined) return undefined
  return {
    rateLimits: rateLimits ?? [],
    ...(adaptive !== undefined && { adaptiveConcurrency: adaptive }),
  } as unknown as InboundTraffic
}

function orOff(defaults: Fields, said: unknown, offAtZero: string): Fields | undefined {
  if (!isFields(said)) return undefined
  const whole = overlay(defaults, said)
  return whole[offAtZero] === 0 ? undefined : whole
}
