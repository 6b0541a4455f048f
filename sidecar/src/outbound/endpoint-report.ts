/** The endpoints of a service as a person sees them: where they are, what they are doing, and why one is not chosen. */
import type { Metrics } from '@weft/schemas/node/metrics'
import type { ServiceEntry } from '@weft/schemas/snapshot'
import type { LiveEndpoint } from './endpoint.ts'

export interface EndpointReport {
  /** `host:port` of its sidecar. */
  readonly address: string
  readonly identity: string
  readonly zone?: string
  readonly weight: number
  readonly state: EndpointState
  /** Why it is not healthy. */
  readonly reason?: string
  readonly active: number
  readonly latencyMs: number
  /** How often it was ejected of late. */
  readonly ejections: number
}

export type EndpointState = 'healthy' | 'ejected' | 'unhealthy'

export interface ServiceReport {
  readonly service: string
  readonly namespace: string
  readonly endpoints: readonly EndpointReport[]
}

const stateOf = ({ failedCheck, outlier }: LiveEndpoint): EndpointState =>
  failedCheck !== undefined ? 'unhealthy' : outlier.ejectedBecause === undefined ? 'healthy' : 'ejected'

export const serviceReport = (
  { name, namespace }: ServiceEntry,
  endpoints: readonly LiveEndpoint[],
): ServiceReport => ({ service: name, namespace, endpoints: endpoints.map(endpointReport) })

function endpointReport(endpoint: LiveEndpoint): EndpointReport {
  const { address, identity, zone, weight, active, latency, outlier, failedCheck } = endpoint
  const reason = failedCheck ?? outlier.ejectedBecause
  return {
    address,
    identity,
    ...(zone !== undefined && { zone }),
    weight,
    state: stateOf(endpoint),
    ...(reason !== undefined && { reason }),
    active,
    latencyMs: Math.round(latency.at(performance.now()) * 100) / 100,
    ejections: outlier.ejections,
  }
}

/** How many endpoints a service has, by their state. */
export function countEndpoints(
  service: string,
  endpoints: readonly LiveEndpoint[],
  gauge: ReturnType<typeof gaugeOf>,
): void {
  const counts = { healthy: 0, ejected: 0, unhealthy: 0 }
  for (const endpoint of endpoints) counts[stateOf(endpoint)]++
  for (const [state, count] of Object.entries(counts)) gauge.set({ destination: service, state }, count)
}

const gaugeOf = (metrics: Metrics) => metrics.gauge('weft_endpoints')
