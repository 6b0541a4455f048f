/**
 * The TLS side of port 15012: one port for callers without a certificate (they come to get one) and with one.
 * grpc-js's own port can either demand a certificate or not look at it, so TLS is ended here, and connections
 * whose peer has passed are injected into the gRPC server.
 */
import { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { spiffeIdOf } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import { type CertificateAuthority, controlPlaneId } from '../ca/index.ts'

export interface TlsPortOptions {
  readonly host: string
  readonly port: number
  readonly authority: CertificateAuthority
  /** Lifetime of the control plane's own certificate. */
  readonly ttlSeconds: number
  readonly handshakeTimeoutMs: number
  readonly log: Log
  /** Takes a connection whose peer has no certificate, or a good one. */
  readonly accept: (socket: TLSSocket) => void
}

export interface TlsPort {
  readonly port: number
  /** Stops accepting and drops handshakes under way; resolves when every connection has ended. */
  close(): Promise<void>
  /** Ends what is still open. */
  destroyConnections(): void
}

/** A sidecar has one, for a moment two; beyond this many, new ones are closed unheard. */
const MAX_CONNECTIONS = 8192
/** Handshakes cost a signature each and prove nothing yet: of more than this the oldest is dropped. */
const MAX_HANDSHAKES = 256
/** After the end of its certificate a connection has this long for the polite end that its streams get. */
const EXPIRY_GRACE_MS = 2_000
/** Longest delay that a timer takes; a connection with a longer-lived certificate ends then, and is made again. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Listens; throws where the port cannot be bound. */
export async function startTlsPort(options: TlsPortOptions): Promise<TlsPort> {
  const { authority, log } = options
  const root = new X509Certificate(authority.rootDer)
  const handshakes = new Map<string, Socket>()
  const connections = new Set<TLSSocket>()

  const server = createServer({
    ...(await ownCertificate(options)),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    handshakeTimeout: options.handshakeTimeoutMs,
  })
  server.maxConnections = MAX_CONNECTIONS

  server.on('connection', (raw: Socket) => {
    const key = addressOf(raw)
    handshakes.set(key, raw)
    raw.once('close', () => handshakes.get(key) === raw && handshakes.delete(key))
    const [oldest] = handshakes.values()
    if (handshakes.size > MAX_HANDSHAKES) oldest?.destroy()
  })
  server.on('tlsClientError', (error, socket) => {
    log.debug({ peer: addressOf(socket), reason: error.message }, 'TLS handshake failed')
    socket.destroy()
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    handshakes.delete(addressOf(socket))
    socket.on('error', (error: Error) => log.debug({ reason: error.message }, 'connection failed'))
    const refusal = refusalOf(socket, root, authority.trustDomain)
    if (refusal !== undefined) {
      log.warn({ peer: addressOf(socket), reason: refusal }, 'connection refused')
      socket.destroy()
      return
    }
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    endWithCertificate(socket)
    options.accept(socket)
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  server.on('error', (error) => log.error({ error }, 'the gRPC port failed to accept'))
  const renewal = keepCertificateFresh(options, (fresh) => server.setSecureContext(fresh))
  const bound = server.address()

  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
    destroyConnections: () => {
      for (const socket of connections) socket.destroy()
    },
    close: () => {
      clearTimeout(renewal.timer)
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const raw of handshakes.values()) raw.destroy()
      return closed
    },
  }
}

/**
 * Why the peer may not stay, or undefined. OpenSSL has judged the chain during the handshake (`authorized`); all of it is
 * judged again here, because on a resumed session that judgement is the one of the first handshake, whose certificate
 * may have ended since.
 */
function refusalOf(socket: TLSSocket, root: X509Certificate, trustDomain: string): string | undefined {
  if (socket.alpnProtocol !== 'h2') return 'it does not speak HTTP/2 (ALPN h2)'
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  if (!socket.authorized) return `its certificate is not trusted (${String(socket.authorizationError)})`
  if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey))
    return 'its certificate is not signed by the root of this trust domain'
  const now = Date.now()
  if (now < certificate.validFromDate.getTime() || now >= certificate.validToDate.getTime())
    return `its certificate is valid from ${certificate.validFrom} to ${certificate.validTo} only`
  const id = spiffeIdOf(certificate)
  if (id?.trustDomain !== trustDomain)
    return `its certificate does not name one workload of trust domain ${trustDomain}`
  return undefined
}

/** A peer that does not read cannot be told that its certificate has ended; its connection ends all the same. */
function endWithCertificate(socket: TLSSocket): void {
  const end = socket.getPeerX509Certificate()?.validToDate.getTime()
  if (end === undefined) return
  const delayMs = Math.min(end - Date.now() + EXPIRY_GRACE_MS, MAX_TIMER_MS)
  const timer = setTimeout(() => socket.destroy(), delayMs)
  socket.once('close', () => clearTimeout(timer))
}

async function ownCertificate({ authority, ttlSeconds }: TlsPortOptions): Promise<TlsOptions> {
  const pair = await authority.issueWithKey({
    spiffeId: controlPlaneId(authority.trustDomain),
    dnsNames: ['localhost', '127.0.0.1', '::1'],
    ttlSeconds,
  })
  return {
    key: pair.privateKeyPem,
    // The root goes with it: who joins knows its hash only, and has to see it.
    cert: pair.certificatePem + pair.trustBundlePem,
    ca: pair.trustBundlePem,
    minVersion: 'TLSv1.3',
  }
}

/** Renews at half-life for as long as the port is open. Connections that are open keep what they shook hands with. */
function keepCertificateFresh(options: TlsPortOptions, use: (fresh: TlsOptions) => void) {
  const halfLifeMs = Math.min((options.ttlSeconds * 1000) / 2, MAX_TIMER_MS)
  const renewal = { timer: setTimeout(renew, halfLifeMs) }
  function renew(): void {
    renewal.timer = setTimeout(renew, halfLifeMs)
    ownCertificate(options).then(use, (error: unknown) =>
      options.log.error({ error }, 'the control plane could not renew its own certificate'),
    )
  }
  return renewal
}

/** Unique among the connections of one listening port. */
const addressOf = (socket: Socket): string => `${socket.remoteAddress}:${socket.remotePort}`
