/** The server side of mTLS: the handshake of accepted connections, and what it proved. */
import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import type { IdentitySource, WorkloadIdentity } from '@weft/schemas/node/identity'
import { TCP_ALPN } from '../transport/tcp/handshake.ts'
import type { Protocol } from './detect.ts'

export interface TlsEndOptions {
  readonly identity: IdentitySource
  /** After the handshake; ALPN has chosen the protocol (RFC 7301). */
  readonly onSecure: (socket: Socket, protocol: Protocol) => void
  /** A caller that did not get through the handshake. */
  readonly onRefused?: (error: Error) => void
}

/** Ends TLS on sockets that are given to it. */
export interface TlsEnd {
  secure(socket: Socket): void
  close(): void
}

/** What is offered, best first, and what each name means here. A caller without ALPN speaks HTTP/1.1. */
export const ALPN: Readonly<Record<string, Protocol>> = {
  h2: 'http2',
  'http/1.1': 'http1',
  [TCP_ALPN]: 'tcp',
}

/** A handshake is two packets; longer is somebody who holds connections open for free. */
export const HANDSHAKE_TIMEOUT_MS = 10_000

/** TLS 1.3 with the workload's certificate, the caller's demanded. Follows rotations until it is closed. */
export function tlsEnd({ identity, onSecure, onRefused }: TlsEndOptions): TlsEnd {
  // Never listens: sockets are given to it.
  const server: Server = createServer(
    {
      ...contextOf(identity.current()),
      ALPNProtocols: Object.keys(ALPN),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      allowHalfOpen: true,
    },
    (socket: TLSSocket) => onSecure(socket, ALPN[socket.alpnProtocol || 'http/1.1'] ?? 'http1'),
  )
  server.on('tlsClientError', (error: Error) => onRefused?.(error))
  const stopRotation = identity.onRotate((now) => server.setSecureContext(contextOf(now)))
  return { secure: (socket) => void server.emit('connection', socket), close: stopRotation }
}

/** Without session tickets: a resumed session would bring back a certificate that may have been replaced or have expired. */
function contextOf(identity: WorkloadIdentity): TlsOptions {
  return {
    cert: identity.certificateChainPem,
    key: identity.privateKeyPem,
    ca: identity.trustBundlePem,
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}
