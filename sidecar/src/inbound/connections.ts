/** What becomes of a connection from another sidecar, or of a plain one where those are taken: who calls, and what it speaks. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import { tcpMetrics } from '../layers/tcp-metrics.ts'
import type { AcceptedConnection, DestinationOf, Protocol } from '../listen/index.ts'
import { acceptHttp } from '../transport/accept-http.ts'
import type { Peer, Service } from '../transport/exchange.ts'
import type { Http1Limits } from '../transport/http1/limits.ts'
import type { AuthorizeTcp } from './authorize-tcp.ts'
import { ANONYMOUS, certificateEnd, provenPeer } from './peer.ts'
import { InboundTcp } from './tcp.ts'
import { refuseWithdrawn } from './withdrawn.ts'

export interface InboundConnectionsOptions {
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly metrics: Metrics
  /** For requests. */
  readonly service: Service
  readonly limits: Http1Limits
  /** Plain text is all that comes, whatever the Mesh says. */
  readonly plaintext: boolean
  readonly authorizeTcp: AuthorizeTcp
  readonly destinationOf: DestinationOf
  /** A request or connection was refused before any layer saw it. */
  readonly onRejected: (error: MeshError) => void
}

interface InboundConnections {
  protocolOf(socket: Socket): Protocol | undefined
  accept(socket: Socket, protocol: Protocol): AcceptedConnection | undefined
  onHandshakeRefused(error: Error): void
}

export function inboundConnections(options: InboundConnectionsOptions): InboundConnections {
  const { snapshots, identity, plaintext, destinationOf, onRejected } = options
  const takesPlaintext = (): boolean => plaintext || snapshots.current().snapshot.mtls === 'permissive'
  const peerOf = (socket: Socket): Peer | undefined => {
    if (socket instanceof TLSSocket) return provenPeer(socket, identity.current().spiffeId.trustDomain)
    return takesPlaintext() ? ANONYMOUS : undefined
  }
  /** The port of the service that a captured plain connection was meant for, where it is one of protocol tcp. */
  const plainTcpPort = (socket: Socket): number | undefined => {
    const { tcpPorts } = snapshots.current().snapshot.workload
    if (tcpPorts === undefined) return undefined
    const destination = destinationOf(socket)
    return tcpPorts.find(({ appPort }) => appPort === destination?.port)?.port
  }
  const tcp = {
    authorize: options.authorizeTcp,
    policyVersion: () => snapshots.current(),
    metrics: tcpMetrics(options.metrics, 'inbound'),
    nameOfSelf: () => identity.current().spiffeId.serviceAccount,
  }
  const refusing = refuseWithdrawn(options.service, snapshots)
  const refused = (reason: string): void => onRejected(new MeshError('unauthenticated', reason))
  return {
    // Strict: nothing but TLS is even looked at. And a captured connection to a tcp port may be one in which the server speaks first.
    protocolOf(socket) {
      if (!takesPlaintext()) return 'tls'
      return plainTcpPort(socket) === undefined ? undefined : 'tcp'
    },
    accept(socket, protocol) {
      const peer = peerOf(socket)
      if (peer === undefined) {
        refused('expected a certificate of a workload of this trust domain')
        return undefined
      }
      if (protocol === 'tcp') {
        const isMesh = socket instanceof TLSSocket
        const port = isMesh ? undefined : plainTcpPort(socket)
        if (isMesh || port !== undefined) return new InboundTcp(socket, { ...tcp, peer, port })
      }
      const validUntil = certificateEnd(socket)
      return acceptHttp(socket, protocol, {
        // HTTP/1.1 has no word for it: there it is an answer, 503.
        service: protocol === 'http2' ? refusing : options.service,
        peer,
        limits: options.limits,
        acceptsAbsoluteForm: false,
        ...(validUntil !== undefined && { validUntil }),
        onRejected,
      })
    },
    onHandshakeRefused: (error) => refused(error.message),
  }
}
