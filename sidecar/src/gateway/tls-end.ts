/** Ends TLS of callers from outside: the name that they ask for chooses the certificate (SNI, RFC 6066, section 3). */
import type { Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import type { GatewayListener } from '@weft/schemas/snapshot'
import type { Protocol } from '../listen/detect.ts'
import { ALPN, HANDSHAKE_TIMEOUT_MS, type TlsEnd } from '../listen/tls.ts'
import type { GatewayCertificates } from './certificates.ts'
import { listenerFor } from './hosts.ts'

export interface GatewayTlsOptions {
  /** Those of one port. */
  readonly listeners: readonly GatewayListener[]
  readonly certificates: GatewayCertificates
  /** After the handshake. Whether the caller proved what its listener asks for is judged there. */
  readonly onSecure: (socket: TLSSocket, protocol: Protocol) => void
  readonly onRefused: (error: Error) => void
}

/** For the listeners and the files of this moment. */
export function gatewayTlsEnd({ listeners, certificates, onSecure, onRefused }: GatewayTlsOptions): TlsEnd {
  const currentFor = (host: string) => {
    const tls = listenerFor(listeners, host)?.tls
    return tls === undefined ? undefined : certificates.current(tls)
  }
  // Never listens: sockets are given to it.
  const server = createServer(
    {
      // For callers that name no host; without a listener for any host there is no certificate, and they get no further.
      ...currentFor('')?.options,
      ALPNProtocols: Object.keys(ALPN),
      // Some hosts of a port may ask for certificates and others not: the handshake asks, the listener judges.
      requestCert: listeners.some(({ tls }) => tls?.clientAuthorities !== undefined),
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      allowHalfOpen: true,
      SNICallback(name, done) {
        const made = currentFor(name.toLowerCase())
        if (made === undefined)
          done(new Error(`no listener with a certificate has the host ${JSON.stringify(name)}`))
        else done(null, made.context)
      },
    },
    (socket) => onSecure(socket, ALPN[socket.alpnProtocol || 'http/1.1'] ?? 'http1'),
  )
  server.on('tlsClientError', onRefused)
  return { secure: (socket: Socket) => void server.emit('connection', socket), close() {} }
}
