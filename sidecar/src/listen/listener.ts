/** Accepting connections, holding them to their deadlines, and ending them in peace. */
import { constants } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { IdentitySource, WorkloadIdentity } from '@weft/schemas/node/identity'

export interface Listener {
  readonly port: number
  /** Stops accepting, lets work in flight end up to the deadline, then closes everything; resolves when nothing is left. */
  drain(deadlineMs: number): Promise<void>
}

/** What a listener needs of a connection, whatever its protocol. */
interface AcceptedConnection {
  drain(): void
  destroy(): void
  checkDeadline(now: number): void
}

interface ListenOptions {
  readonly host: string
  readonly port: number
  /** With it: TLS 1.3, the caller's certificate demanded. Without: plain text. */
  readonly identity?: IdentitySource
  /** Undefined: the connection is refused. */
  readonly accept: (socket: Socket) => AcceptedConnection | undefined
  /** A caller that did not get through the handshake. */
  readonly onHandshakeRefused?: (error: Error) => void
  /** When the last connection is gone. */
  readonly onDrained?: () => Promise<void>
}

/** Beyond the open-file limit of most systems nothing could be answered anyway: better refuse than starve. */
const MAX_CONNECTIONS = 8192
/** A handshake is two packets; longer is somebody who holds connections open for free. */
const HANDSHAKE_TIMEOUT_MS = 10_000
/** How exactly the deadlines of idle connections and slow heads are kept. */
const CHECK_INTERVAL_MS = 100

/** Listens; resolves when the port is bound, rejects where it cannot be. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const connections = new Map<Socket, AcceptedConnection>()
  const sockets = new Set<Socket>()
  const { server, stopRotation } = open(options, (socket) => {
    const connection = options.accept(socket)
    if (connection === undefined) return void socket.destroy()
    connections.set(socket, connection)
    socket.once('close', () => connections.delete(socket))
    if (isDraining) connection.drain()
  })
  let isDraining = false
  server.maxConnections = MAX_CONNECTIONS
  // Raw sockets too: one in the middle of its handshake must not outlive the drain.
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const checking = setInterval(() => {
    const now = performance.now()
    for (const connection of connections.values()) connection.checkDeadline(now)
  }, CHECK_INTERVAL_MS)
  checking.unref()

  const drain = async (deadlineMs: number): Promise<void> => {
    isDraining = true
    // Connections and requests that the kernel has already are taken in this turn, and count as in flight.
    await new Promise<void>((resolve) => setImmediate(resolve))
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of connections.values()) connection.drain()
    const deadline = setTimeout(() => {
      for (const connection of connections.values()) connection.destroy()
      for (const socket of sockets) socket.destroy()
    }, deadlineMs)
    await closed
    clearTimeout(deadline)
    clearInterval(checking)
    stopRotation()
    await options.onDrained?.()
  }

  let draining: Promise<void> | undefined
  const port = await bind(server, options)
  return {
    port,
    drain(deadlineMs) {
      draining ??= drain(deadlineMs)
      return draining
    },
  }
}

function open(
  { identity, onHandshakeRefused }: ListenOptions,
  onSocket: (socket: Socket) => void,
): { readonly server: Server; readonly stopRotation: () => void } {
  if (identity === undefined)
    return { server: createServer({ allowHalfOpen: true, noDelay: true }, onSocket), stopRotation: () => {} }
  const server = createTlsServer(
    {
      ...contextOf(identity.current()),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      allowHalfOpen: true,
    },
    (socket: TLSSocket) => onSocket(socket),
  )
  server.on('tlsClientError', (error: Error) => onHandshakeRefused?.(error))
  const stopRotation = identity.onRotate((now) => server.setSecureContext(contextOf(now)))
  return { server, stopRotation }
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

function bind(server: Server, { host, port }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.removeListener('error', reject)
      // From now on an error is one connection that could not be accepted (no file descriptor left): not the end of the rest.
      server.on('error', () => {})
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
