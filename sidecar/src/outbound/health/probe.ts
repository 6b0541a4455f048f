/** What all health checks have in common: they ask one endpoint one thing. */
import type { HealthProbe } from '@weft/schemas/snapshot'
import type { PoolOptions } from '../../transport/pool.ts'
import type { LiveEndpoint } from '../endpoint.ts'
import { grpcProbe } from './grpc.ts'
import { httpProbe } from './http.ts'
import { tcpProbe } from './tcp.ts'

export interface ProbeTarget {
  readonly endpoint: LiveEndpoint
  readonly dial: PoolOptions['dial']
  /** What the app gets to see as host. */
  readonly authority: string
}

/**
 * Calls `done` once, with the reason where the endpoint is not healthy; never before it has returned. Returns the function that gives
 * the check up, after which `done` may still be called.
 */
export type Probe = (target: ProbeTarget, done: (failure: string | undefined) => void) => () => void

export function probeOf({ http, grpc }: HealthProbe): Probe {
  if (http !== undefined) return httpProbe(http)
  return grpc !== undefined ? grpcProbe(grpc) : tcpProbe
}
