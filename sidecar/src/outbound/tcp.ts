/**
 * Opaque TCP on its way out: an endpoint of the service is chosen and asked for the port. While no byte of the caller has left,
 * another endpoint can be tried.
 */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Endpoint, ServiceEntry } from '@weft/schemas/snapshot'
import { parseSpiffeId } from '@weft/schemas/spiffe'
import type { TcpMetrics, TcpParties } from '../layers/tcp-metrics.ts'
import { FramedSocket } from '../transport/tcp/framed-socket.ts'
import { TCP_ALPN } from '../transport/tcp/handshake.ts'
import type { Tunnel } from '../transport/tcp/splice.ts'
import { askPort } from './ask-port.ts'
import { dialEndpoint } from './dial.ts'

export interface TcpTarget {
  readonly service: ServiceEntry
  readonly port: number
}

export interface OutboundTcpOptions {
  readonly identity: IdentitySource
  readonly metrics: TcpMetrics
}

/** Worth another endpoint: this one was not reached, or its app was not. */
const RETRIED: ReadonlySet<string> = new Set(['connect_failed', 'peer_identity', 'upstream_reset'])

export class OutboundTcp {
  readonly #options: OutboundTcpOptions
  /** Connections by service, those that are being opened among them, and open ones by endpoint. */
  readonly #counts = new Map<string, number>()

  constructor(options: OutboundTcpOptions) {
    this.#options = options
  }

  /** Calls `done` once, with a tunnel or with why there is none. Returns what gives the attempt up; nobody is called then. */
  connect({ service, port }: TcpTarget, done: (result: Tunnel | MeshError) => void): () => void {
    const { traffic } = service
    const key = `${service.namespace}/${service.name}`
    const tried = new Set<Endpoint>()
    let giveUp = (): void => {}
    const finish = (result: Tunnel | MeshError, endpoint: Endpoint | undefined): void => {
      if (result instanceof MeshError) {
        this.#count(key, -1)
        this.#options.metrics.connection(this.#parties(endpoint, service), result)
      }
      done(result)
    }
    const attempt = (last: MeshError | undefined): void => {
      const endpoint = this.#choose(service.endpoints.filter((candidate) => !tried.has(candidate)))
      if (endpoint === undefined) {
        finish(last ?? noEndpoint(service), undefined)
        return
      }
      tried.add(endpoint)
      const asked = {
        dial: dialEndpoint(endpoint, this.#options.identity, [TCP_ALPN]),
        name: `${service.name} at ${endpoint.address}:${endpoint.port}`,
        port,
        timeoutMs: traffic.connectTimeoutMs,
      }
      giveUp = askPort(asked, (result) => {
        if (!(result instanceof MeshError)) finish(this.#opened(result, endpoint, service), endpoint)
        else if (RETRIED.has(result.code) && tried.size <= traffic.retry.attempts) attempt(result)
        else finish(result, endpoint)
      })
    }
    this.#count(key, 1)
    const isFull = (this.#counts.get(key) ?? 0) > traffic.maxConnections
    // In a later turn: whoever asks has not been told yet how to give up.
    const started = setImmediate(() => (isFull ? finish(tooMany(service), undefined) : attempt(undefined)))
    return () => {
      clearImmediate(started)
      giveUp()
      this.#count(key, -1)
    }
  }

  #opened(socket: Socket, endpoint: Endpoint, service: ServiceEntry): Tunnel {
    const { metrics } = this.#options
    const parties = this.#parties(endpoint, service)
    this.#count(keyOf(endpoint), 1)
    socket.once('close', () => {
      this.#count(keyOf(endpoint), -1)
      this.#count(`${service.namespace}/${service.name}`, -1)
    })
    metrics.connection(parties)
    return {
      socket: new FramedSocket(socket),
      onBytes: (sent, received) => metrics.bytes(parties, sent, received),
    }
  }

  /** Of two drawn at random the one with fewer connections. */
  #choose(endpoints: readonly Endpoint[]): Endpoint | undefined {
    const draw = (): Endpoint | undefined => endpoints[Math.floor(Math.random() * endpoints.length)]
    const [one, other] = [draw(), draw()]
    if (one === undefined || other === undefined) return one
    return (this.#counts.get(keyOf(one)) ?? 0) <= (this.#counts.get(keyOf(other)) ?? 0) ? one : other
  }

  #count(key: string, change: 1 | -1): void {
    const count = (this.#counts.get(key) ?? 0) + change
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }

  #parties(endpoint: Endpoint | undefined, service: ServiceEntry): TcpParties {
    return {
      source: this.#options.identity.current().spiffeId.serviceAccount,
      destination: parseSpiffeId(endpoint?.identity ?? '')?.serviceAccount ?? service.name,
    }
  }
}

const keyOf = ({ address, port, identity }: Endpoint): string => `${address} ${port} ${identity}`

const noEndpoint = ({ name }: ServiceEntry): MeshError =>
  new MeshError('no_endpoint', `expected an endpoint of ${name}; it has none`, { target: name })

const tooMany = ({ name, traffic }: ServiceEntry): MeshError =>
  new MeshError('overloaded', `${name}: expected at most ${traffic.maxConnections} connections`)
