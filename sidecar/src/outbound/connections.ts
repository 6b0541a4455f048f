/** What becomes of a connection of the local app: read as requests, or carried as bytes. */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { type AcceptedConnection, authorityOf, type DestinationOf, type Protocol } from '../listen/index.ts'
import { acceptHttp } from '../transport/accept-http.ts'
import type { Peer, Service } from '../transport/exchange.ts'
import type { Http1Limits } from '../transport/http1/limits.ts'
import { type OpenTunnel, PendingSplice } from '../transport/tcp/pending-splice.ts'
import { type OutsideTcp, outsideTunnel } from './external/outside-tcp.ts'
import type { Router } from './route.ts'
import type { OutboundTcp } from './tcp.ts'

export interface OutboundConnectionsOptions {
  readonly router: Router
  /** For requests. */
  readonly service: Service
  readonly tcp: OutboundTcp
  readonly outsideTcp: OutsideTcp
  readonly limits: Http1Limits
  readonly destinationOf: DestinationOf
  /** A request or connection was refused before any layer saw it. */
  readonly onRejected: (error: MeshError) => void
}

interface OutboundConnections {
  protocolOf(socket: Socket): Protocol | undefined
  accept(socket: Socket, protocol: Protocol): AcceptedConnection | undefined
}

/** Whoever reaches the loopback listener is the local app: it has no certificate, and needs none. */
const LOCAL_APP: Peer = { id: undefined, subject: { kind: 'anonymous' } }

export function outboundConnections(options: OutboundConnectionsOptions): OutboundConnections {
  const { router, tcp, outsideTcp, onRejected } = options
  /** Undefined: what comes through it is to be read. Throws MeshError where it may not be opened. */
  const tunnelTo = (authority: string): OpenTunnel | undefined => {
    const target = router.tcpTarget(authority)
    if (target !== undefined)
      return outsideTunnel(outsideTcp, target) ?? ((done) => tcp.connect(target, done))
    const outside = router.outside(authority)
    return outside && outsideTcp.tunnelTo(outside)
  }
  const destinationOf = (socket: Socket): string | undefined => {
    const destination = options.destinationOf(socket)
    return destination && authorityOf(destination)
  }
  const carry = (socket: Socket, destination: string): PendingSplice | undefined => {
    try {
      const tunnel = tunnelTo(destination)
      if (tunnel !== undefined) return new PendingSplice(socket, tunnel)
      throw new MeshError('unknown_host', `expected a tcp port of a service; ${destination} is none`)
    } catch (error) {
      onRejected(MeshError.from(error))
      return undefined
    }
  }
  return {
    // What is known to be opaque is not looked at: there the server may be the one to speak first.
    protocolOf(socket) {
      const destination = destinationOf(socket)
      return destination !== undefined && router.tcpTarget(destination) !== undefined ? 'tcp' : undefined
    },
    accept(socket, protocol) {
      const destination = destinationOf(socket)
      const isHttp = protocol === 'http1' || protocol === 'http2'
      if (destination !== undefined && !isHttp) return carry(socket, destination)
      // Not captured, it can only be meant as a request: the reader says what is wrong with it.
      return acceptHttp(socket, protocol, {
        service: options.service,
        peer: destination === undefined ? LOCAL_APP : { ...LOCAL_APP, destination },
        limits: options.limits,
        acceptsAbsoluteForm: true,
        openTunnel(authority) {
          const tunnel = tunnelTo(authority)
          if (tunnel === undefined) router.check(authority)
          return tunnel
        },
        onRejected,
      })
    },
  }
}
