/**
 * Opaque TCP on its way in.
 *
 *   asking ──port──▶ authorize ──▶ calling the app ──▶ spliced
 *      │ 10 s            │ refused      │ no app          │ policy changed, and refuses now
 *      └─────────────────┴──────────────┴─────────────────┴──▶ closed
 */
import { connect, type Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { DEFAULT_TRAFFIC } from '@weft/schemas/snapshot'
import type { TcpMetrics } from '../layers/tcp-metrics.ts'
import type { Peer } from '../transport/exchange.ts'
import { FramedSocket } from '../transport/tcp/framed-socket.ts'
import { ACCEPTED, REQUEST_BYTES, refusalBytes, requestedPort } from '../transport/tcp/handshake.ts'
import { breakOff, Splice } from '../transport/tcp/splice.ts'
import { APP_HOST } from './app.ts'
import type { AuthorizeTcp } from './authorize-tcp.ts'

export interface InboundTcpOptions {
  readonly peer: Peer
  /** The port of the service that is asked for; undefined where the caller's sidecar will say it. */
  readonly port: number | undefined
  readonly authorize: AuthorizeTcp
  /** Changes with every change of what `authorize` would say. */
  readonly policyVersion: () => unknown
  readonly metrics: TcpMetrics
  readonly nameOfSelf: () => string
}

/** Two bytes after a handshake; longer is somebody who holds connections open for free. */
const REQUEST_TIMEOUT_MS = 10_000

export class InboundTcp {
  readonly #caller: Socket
  readonly #options: InboundTcpOptions
  readonly #speaksToSidecar: boolean
  #port: number | undefined
  #app: Socket | undefined
  #splice: Splice | undefined
  #policyVersion: unknown
  #deadlineAt = performance.now() + REQUEST_TIMEOUT_MS
  #asked: Buffer = Buffer.alloc(0)

  constructor(caller: Socket, options: InboundTcpOptions) {
    this.#caller = caller
    this.#options = options
    this.#speaksToSidecar = options.port === undefined
    caller.on('error', ignored)
    caller.once('close', this.#onClose)
    if (options.port === undefined) caller.on('data', this.#onRequest).resume()
    else this.#open(options.port)
  }

  drain(): void {
    if (this.#splice === undefined && this.#app === undefined) this.destroy()
  }

  destroy(): void {
    if (this.#splice !== undefined) {
      this.#splice.destroy()
      return
    }
    breakOff(this.#caller)
    if (this.#app !== undefined) breakOff(this.#app)
  }

  checkDeadline(now: number): void {
    if (this.#splice === undefined) {
      if (now >= this.#deadlineAt) this.destroy()
      return
    }
    if (this.#options.policyVersion() !== this.#policyVersion && !this.#isStillAllowed()) this.destroy()
    else this.#splice.checkDeadline(now)
  }

  readonly #onRequest = (chunk: Buffer): void => {
    this.#asked = Buffer.concat([this.#asked, chunk])
    if (this.#asked.length < REQUEST_BYTES) return
    this.#caller.off('data', this.#onRequest).pause()
    const rest = this.#asked.subarray(REQUEST_BYTES)
    if (rest.length > 0) this.#caller.unshift(rest)
    this.#open(requestedPort(this.#asked))
  }

  readonly #onClose = (): void => {
    if (this.#app !== undefined && this.#splice === undefined) this.#app.destroy()
  }

  #open(port: number): void {
    this.#port = port
    let appPort: number
    try {
      appPort = this.#authorized(port)
    } catch (error) {
      this.#refuse(MeshError.from(error))
      return
    }
    this.#deadlineAt = performance.now() + DEFAULT_TRAFFIC.connectTimeoutMs
    const app = connect({ host: APP_HOST, port: appPort, noDelay: true, allowHalfOpen: true })
    this.#app = app
    const onError = (cause: Error): void =>
      this.#refuse(
        new MeshError(
          'connect_failed',
          `no connection to the app at ${APP_HOST}:${appPort}: ${cause.message}`,
          {
            cause,
          },
        ),
      )
    app.once('error', onError)
    app.once('connect', () => {
      app.off('error', onError)
      if (this.#speaksToSidecar) this.#caller.write(ACCEPTED)
      this.#join(app)
    })
  }

  #join(app: Socket): void {
    const { metrics } = this.#options
    const parties = this.#parties()
    metrics.connection(parties)
    const caller = this.#speaksToSidecar ? new FramedSocket(this.#caller) : this.#caller
    this.#splice = new Splice(caller, app, {
      onBytes: (sent, received) => metrics.bytes(parties, sent, received),
    })
  }

  #authorized(port: number): number {
    this.#policyVersion = this.#options.policyVersion()
    return this.#options.authorize(this.#options.peer, port)
  }

  #isStillAllowed(): boolean {
    try {
      this.#authorized(this.#port as number)
      return true
    } catch {
      return false
    }
  }

  #refuse(error: MeshError): void {
    this.#options.metrics.connection(this.#parties(), error)
    if (this.#speaksToSidecar) this.#caller.end(refusalBytes(error))
    else breakOff(this.#caller)
    this.#caller.resume()
  }

  #parties(): { readonly source: string; readonly destination: string } {
    const { peer, nameOfSelf } = this.#options
    return { source: peer.id?.serviceAccount ?? '-', destination: nameOfSelf() }
  }
}

/** 'close' follows, and says enough. */
const ignored = (): void => {}
