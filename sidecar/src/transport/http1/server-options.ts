import type { MeshError } from '@weft/schemas/error'
import type { Peer, Service } from '../exchange.ts'
import type { OpenTunnel } from '../tcp/pending-splice.ts'
import type { Http1Limits } from './limits.ts'

/** What an accepted connection needs to know. */
export interface ServerConnectionOptions {
  readonly service: Service
  readonly peer: Peer
  readonly limits: Http1Limits
  readonly acceptsAbsoluteForm: boolean
  /**
   * For CONNECT host:port: opens the tunnel; undefined where what comes through it are requests for that host. Throws MeshError
   * where nothing leads there. Absent: CONNECT is refused.
   */
  readonly openTunnel?: (authority: string) => OpenTunnel | undefined
  /** `performance.now()` from which no new request is taken: the caller's certificate has expired. */
  readonly validUntil?: number
  /** A request was refused before the service saw it. */
  readonly onRejected: (error: MeshError) => void
}
