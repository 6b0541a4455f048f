/** Where a captured connection was meant to go, before it was redirected here. */
import type { Socket } from 'node:net'

export interface Destination {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string
  readonly port: number
}

/** Undefined for a connection that was not redirected. */
export type DestinationOf = (socket: Socket) => Destination | undefined

/** As in a Host header. */
export const authorityOf = ({ address, port }: Destination): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

export const notCaptured: DestinationOf = () => undefined
