/** One port of a gateway. Its listeners may change while it is open; connections follow them with their next request. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import type { GatewayListener } from '@weft/schemas/snapshot'
import { certificateEnd } from '../inbound/peer.ts'
import type { Protocol } from '../listen/detect.ts'
import { type Listener, listen } from '../listen/index.ts'
import type { TlsEnd } from '../listen/tls.ts'
import { hostOf } from '../outbound/routes/authority.ts'
import { acceptHttp } from '../transport/accept-http.ts'
import type { Peer, Service } from '../transport/exchange.ts'
import type { Http1Limits } from '../transport/http1/limits.ts'
import type { GatewayCertificates } from './certificates.ts'
import { listenerFor } from './hosts.ts'
import { outsidePeer } from './peer.ts'
import { gatewayTlsEnd } from './tls-end.ts'

export interface GatewayPortOptions {
  readonly host: string
  readonly port: number
  readonly certificates: GatewayCertificates
  readonly service: Service
  /** Called with the peer of each connection, by which its requests are told apart later. */
  readonly onConnection: (peer: Peer, connection: GatewayConnection) => void
  readonly onRejected: (error: MeshError) => void
}

/** What the requests of a connection have in common. */
export interface GatewayConnection {
  readonly port: GatewayPort
  /** IP address of the caller. */
  readonly address: string
  /** Name of the listener that the handshake was for; undefined in plain text. */
  readonly provenFor: string | undefined
}

export class GatewayPort {
  readonly #options: GatewayPortOptions
  #listeners: readonly GatewayListener[] = []
  #limits: Http1Limits
  #tls: TlsEnd | undefined
  #onSecure: (socket: Socket, protocol: Protocol) => void = (socket) => void socket.destroy()
  #listening: Promise<Listener> | undefined

  constructor(options: GatewayPortOptions, limits: Http1Limits) {
    this.#options = options
    this.#limits = limits
  }

  update(listeners: readonly GatewayListener[], limits: Http1Limits): void {
    this.#listeners = listeners
    this.#limits = limits
    this.refresh()
  }

  /** Takes over certificates that were renewed in their files. */
  refresh(): void {
    const { certificates, onRejected } = this.#options
    this.#tls = this.#listeners.every(({ tls }) => tls === undefined)
      ? undefined
      : gatewayTlsEnd({
          listeners: this.#listeners,
          certificates,
          onSecure: (socket, protocol) => this.#onSecure(socket, protocol),
          onRefused: ({ message }) => onRejected(new MeshError('unauthenticated', message)),
        })
  }

  /** The listener that a request is for; undefined where none has its host. */
  listenerFor(authority: string): GatewayListener | undefined {
    return listenerFor(this.#listeners, hostOf(authority))
  }

  /** Rejects where the port cannot be bound; may be called again then, and is nothing where it is open. */
  async open(): Promise<void> {
    const { host, port } = this.#options
    this.#listening ??= listen({
      host,
      port,
      protocolOf: () => (this.#tls === undefined ? undefined : 'tls'),
      endTls: (onSecure) => {
        this.#onSecure = onSecure
        return { secure: (socket) => this.#tls?.secure(socket), close() {} }
      },
      accept: (socket, protocol) => this.#accept(socket, protocol),
    })
    try {
      await this.#listening
    } catch (error) {
      this.#listening = undefined
      throw error
    }
  }

  async drain(deadlineMs: number): Promise<void> {
    const listener = await this.#listening?.catch(() => undefined)
    await listener?.drain(deadlineMs)
  }

  #accept(socket: Socket, protocol: Protocol): ReturnType<typeof acceptHttp> | undefined {
    const { service, onConnection, onRejected } = this.#options
    const named = socket instanceof TLSSocket ? listenerFor(this.#listeners, serverName(socket)) : undefined
    const peer = outsidePeer(socket, named)
    if (peer === undefined) {
      onRejected(new MeshError('unauthenticated', 'expected a certificate of an authority of the listener'))
      return undefined
    }
    onConnection(peer, { port: this, address: socket.remoteAddress ?? '', provenFor: named?.name })
    const validUntil = peer.subject.kind === 'certificate' ? certificateEnd(socket) : undefined
    return acceptHttp(socket, protocol, {
      service,
      peer,
      limits: this.#limits,
      acceptsAbsoluteForm: false,
      ...(validUntil !== undefined && { validUntil }),
      onRejected,
    })
  }
}

/** As the caller gave it in the handshake; empty where it gave none. */
const serverName = ({ servername }: TLSSocket): string =>
  typeof servername === 'string' ? servername.toLowerCase() : ''
