/**
 * Accepting connections, telling their protocol, holding them to their deadlines, and ending them in peace.
 *
 *   accepted ──known, or first-bytes.ts──▶ protocol ──tls, and TLS ends here──▶ tls.ts ──ALPN──▶ protocol ──▶ accept
 *                                              └─────────────────────────────────────────────────────────────▲
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Protocol } from './detect.ts'
import { FirstBytes } from './first-bytes.ts'
import { type TlsEnd, tlsEnd } from './tls.ts'

export interface Listener {
  readonly port: number
  /** Stops accepting, lets work in flight end up to the deadline, then closes everything; resolves when nothing is left. */
  drain(deadlineMs: number): Promise<void>
}

/** What a listener needs of a connection, whatever its protocol. */
export interface AcceptedConnection {
  drain(): void
  destroy(): void
  checkDeadline(now: number): void
}

type OnSecure = (socket: Socket, protocol: Protocol) => void

interface ListenOptions {
  readonly host: string
  readonly port: number
  /** With it TLS ends here: 1.3, the caller's certificate demanded. Without, TLS is bytes like any others. */
  readonly identity?: IdentitySource
  /** Instead of it: TLS ends as this says. */
  readonly endTls?: (onSecure: OnSecure) => TlsEnd
  /** What is known of a connection before its first byte. Undefined, or absent: its first bytes tell. */
  readonly protocolOf?: (socket: Socket) => Protocol | undefined
  /** How long first bytes are waited for; then the connection counts as tcp. Default: DETECTION_TIMEOUT_MS. */
  readonly detectionTimeoutMs?: number
  /** The socket may be paused: who reads it resumes it. Undefined: the connection is refused. */
  readonly accept: (socket: Socket, protocol: Protocol) => AcceptedConnection | undefined
  /** A caller that did not get through the handshake. */
  readonly onHandshakeRefused?: (error: Error) => void
  /** When the last connection is gone. */
  readonly onDrained?: () => Promise<void>
}

/** Beyond the open-file limit of most systems nothing could be answered anyway: better refuse than starve. */
const MAX_CONNECTIONS = 8192
/** How exactly the deadlines of idle connections and slow heads are kept. */
const CHECK_INTERVAL_MS = 100
/**
 * What a connection in which the server speaks first waits for before it goes on, unless its port says `tcp`. Shorter, and
 * HTTP clients that connect ahead of their first request would be taken for it, and lose routes and policy by that.
 */
export const DETECTION_TIMEOUT_MS = 5_000

/** Listens; resolves when the port is bound, rejects where it cannot be. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const connections = new Map<Socket, AcceptedConnection>()
  const sockets = new Set<Socket>()
  let isDraining = false
  const hold = (socket: Socket, connection: AcceptedConnection | undefined): void => {
    if (connection === undefined) return void socket.destroy()
    connections.set(socket, connection)
    socket.once('close', () => connections.delete(socket))
    if (isDraining) connection.drain()
  }
  const accept = (socket: Socket, protocol: Protocol): void => hold(socket, options.accept(socket, protocol))
  const tls = tlsFor(options, accept)
  const onProtocol = (socket: Socket, protocol: Protocol): void => {
    if (protocol === 'tls' && tls !== undefined) tls.secure(socket)
    else accept(socket, protocol)
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    // Raw sockets too: one in the middle of its handshake must not outlive the drain.
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const known = options.protocolOf?.(socket)
    if (known !== undefined) return onProtocol(socket, known)
    const timeoutMs = options.detectionTimeoutMs ?? DETECTION_TIMEOUT_MS
    const onDetected = (protocol: Protocol): void => {
      connections.delete(socket)
      onProtocol(socket, protocol)
    }
    hold(socket, new FirstBytes(socket, { timeoutMs, onDetected }))
  })
  server.maxConnections = MAX_CONNECTIONS
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
    tls?.close()
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

function tlsFor(
  { identity, endTls, onHandshakeRefused }: ListenOptions,
  onSecure: OnSecure,
): TlsEnd | undefined {
  if (endTls !== undefined) return endTls(onSecure)
  if (identity === undefined) return undefined
  return tlsEnd({
    identity,
    onSecure,
    ...(onHandshakeRefused !== undefined && { onRefused: onHandshakeRefused }),
  })
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
