/** The part of a snapshot that makes a sidecar a gateway: where it listens, as whom, and where its requests go. */
import type { RouteTable } from './snapshot-routes.ts'
import type { RateLimit } from './snapshot-traffic.ts'

export interface GatewayTls {
  /** Folders below that of the gateway's certificates, each with `tls.crt` and `tls.key`: one certificate in several kinds of key. */
  readonly certificates: readonly string[]
  /** Folders with a `ca.crt`: callers have to prove a certificate of one of these authorities. Absent: they are not asked for one. */
  readonly clientAuthorities?: readonly string[]
}

export interface GatewayListener {
  readonly name: string
  readonly port: number
  /** `shop.example` or `*.shop.example`; any where absent. */
  readonly hostname?: string
  /** Absent: plain text. */
  readonly tls?: GatewayTls
  /** Absent: no route attaches, and every request is answered with 404. */
  readonly routes?: RouteTable
}

export interface GatewayEntry {
  readonly name: string
  readonly namespace: string
  readonly listeners: readonly GatewayListener[]
  /** Of a request; absent: no limit, since bodies are not held. */
  readonly maxBodyBytes?: number
  readonly maxHeadBytes?: number
  readonly rateLimits?: readonly RateLimit[]
}
