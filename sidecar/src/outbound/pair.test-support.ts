/** A pair of sidecars with a real app behind it: caller → outbound → mTLS → inbound → app. For tests. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { Http2Server } from 'node:http2'
import { type AddressInfo, connect, type Server as NetServer, type Socket } from 'node:net'
import { type Tracer, trace } from '@opentelemetry/api'
import { createLog, type Log } from '@weft/schemas/node/log'
import { createMetrics, type Metrics } from '@weft/schemas/node/metrics'
import {
  DEFAULT_TRAFFIC,
  type Endpoint,
  type IndexedSnapshot,
  indexSnapshot,
  type ServiceEntry,
  type Snapshot,
  type SnapshotSource,
  type TrafficSettings,
} from '@weft/schemas/snapshot'
import { startInbound } from '../inbound/index.ts'
import { createAuthority, type TestAuthority, TestIdentity } from '../listen/certificates.test-support.ts'
import type { Destination, Listener } from '../listen/index.ts'
import type { Http1Limits } from '../transport/http1/limits.ts'
import { type Outbound, startOutbound } from './index.ts'

export const SERVER = 'spiffe://weft.local/ns/default/sa/server'

/** The part of a snapshot that says that the app speaks HTTP/2. */
export const HTTP2_APP: Partial<Snapshot> = {
  workload: { identity: SERVER, namespace: 'default', service: 'server', appProtocol: 'http2' },
}
/** Port of the service whose bytes nobody reads; it leads to the same app. */
export const TCP_PORT = 5432

class TestSnapshots implements SnapshotSource {
  #now: IndexedSnapshot
  readonly #listeners = new Set<(now: IndexedSnapshot) => void>()

  constructor(snapshot: Snapshot) {
    this.#now = indexSnapshot(snapshot)
  }

  current(): IndexedSnapshot {
    return this.#now
  }

  onChange(listener: (now: IndexedSnapshot) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  change(part: Partial<Snapshot>): void {
    const { snapshot } = this.#now
    this.#now = indexSnapshot({ ...snapshot, ...part, version: snapshot.version + 1 })
    for (const listener of this.#listeners) listener(this.#now)
  }
}

function snapshotOf(part: Partial<Snapshot>): Snapshot {
  return {
    version: 1,
    trustDomain: 'weft.local',
    workload: {
      identity: SERVER,
      namespace: 'default',
      service: 'server',
    },
    defaultAction: 'allow',
    samplingRatio: 0,
    services: [],
    policies: [],
    jwtProviders: [],
    topics: [],
    subscriptions: [],
    ...part,
  }
}

export function serviceOf(
  endpoints: readonly Endpoint[],
  traffic: Partial<TrafficSettings> = {},
): ServiceEntry {
  const names = ['server', 'server.default', 'server.default.svc']
  const hosts = names.flatMap((name) => [name, `${name}:80`, `${name}:${TCP_PORT}`])
  return {
    name: 'server',
    namespace: 'default',
    hosts,
    endpoints,
    traffic: { ...DEFAULT_TRAFFIC, ...traffic },
    tcpPorts: [TCP_PORT],
  }
}

export interface PairOptions {
  readonly app?: RequestListener | NetServer | Http2Server
  readonly snapshot?: Partial<Snapshot>
  readonly traffic?: Partial<TrafficSettings>
  readonly limits?: Http1Limits
  readonly log?: Log
  readonly tracer?: Tracer
  readonly extraEndpoints?: readonly Endpoint[]
  readonly plaintext?: boolean
  readonly inboundAppPort?: number
  /** Captured: where every connection was meant to go. */
  readonly inboundDestination?: (appPort: number) => Destination
  readonly outboundDestination?: Destination
}

export interface Pair extends AsyncDisposable {
  readonly authority: TestAuthority
  readonly outbound: Outbound
  readonly inbound: Listener
  readonly inboundSnapshots: TestSnapshots
  readonly outboundSnapshots: TestSnapshots
  readonly clientIdentity: TestIdentity
  readonly serverIdentity: TestIdentity
  readonly metrics: Metrics
  readonly endpoint: Endpoint
  readonly app: NetServer
}

const silent = (): Log => {
  const log = createLog('test')
  log.level = 'silent'
  return log
}

export async function startPair(options: PairOptions = {}): Promise<Pair> {
  const { inboundDestination, outboundDestination } = options
  const authority = await createAuthority()
  const clientIdentity = new TestIdentity(await authority.issue('client'))
  const serverIdentity = new TestIdentity(await authority.issue('server'))
  const app = await startApp(options.app ?? ((_, response) => response.end('hello')))
  const metrics = createMetrics()
  const shared = {
    metrics,
    log: options.log ?? silent(),
    tracer: options.tracer ?? trace.getTracer('test'),
    ...(options.limits !== undefined && { limits: options.limits }),
  }
  const loopback = { host: '127.0.0.1', port: 0 }
  const appPort = options.inboundAppPort ?? portOf(app)
  const served = snapshotOf(options.snapshot ?? {})
  const workload = { tcpPorts: [{ port: TCP_PORT, appPort }], ...served.workload }
  const inboundSnapshots = new TestSnapshots({ ...served, workload })
  const inbound = await startInbound({
    ...shared,
    ...loopback,
    snapshots: inboundSnapshots,
    identity: serverIdentity,
    appPort,
    ...(inboundDestination !== undefined && { destinationOf: () => inboundDestination(appPort) }),
    ...(options.plaintext !== undefined && { plaintext: options.plaintext }),
  })
  const endpoint: Endpoint = {
    address: '127.0.0.1',
    port: inbound.port,
    identity: serverIdentity.current().spiffeId.uri,
    labels: {},
  }
  const service = serviceOf([endpoint, ...(options.extraEndpoints ?? [])], options.traffic)
  const outboundSnapshots = new TestSnapshots(snapshotOf({ ...options.snapshot, services: [service] }))
  const outbound = await startOutbound({
    ...shared,
    ...loopback,
    snapshots: outboundSnapshots,
    identity: clientIdentity,
    ...(outboundDestination !== undefined && { destinationOf: () => outboundDestination }),
  })
  return {
    authority,
    outbound,
    inbound,
    inboundSnapshots,
    outboundSnapshots,
    clientIdentity,
    serverIdentity,
    metrics,
    endpoint,
    app,
    async [Symbol.asyncDispose]() {
      await Promise.all([outbound.drain(0), inbound.drain(0)])
      await new Promise((resolve) => {
        app.close(resolve)
        if ('closeAllConnections' in app) (app as Server).closeAllConnections()
      })
    },
  }
}

export const portOf = (server: NetServer): number => (server.address() as AddressInfo).port

async function startApp(app: RequestListener | NetServer): Promise<NetServer> {
  const server = typeof app === 'function' ? createServer(app) : app
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** Sends literal bytes and returns all that comes until the other side closes, or until `isEnough`. */
export function exchange(
  port: number,
  bytes: string | readonly string[],
  isEnough: (received: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1')
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      received += text
      if (isEnough(received)) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(received))
    for (const part of typeof bytes === 'string' ? [bytes] : bytes) socket.write(part, 'latin1')
  })
}

export async function bodyOf(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of message) text += (chunk as Buffer).toString('latin1')
  return text
}
