import { createServer, type Server, type Socket } from 'node:net'
import type { Tracer } from '@opentelemetry/api'
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { KafkaCluster, SnapshotSource } from '@weft/schemas/snapshot'
import { type BrokerAddress, connectBroker, toAddress } from '../connect-broker.ts'
import type { Listener } from '../listener.ts'
import { Access } from './access.ts'
import { ClientGroups } from './client-groups.ts'
import { Connection } from './connection.ts'
import { listen, Nodes } from './nodes.ts'
import { OpenSpans } from './open-spans.ts'
import { Quotas } from './quotas.ts'
import { stagesOf } from './stages/index.ts'
import { Tally } from './tally.ts'
import { TopicIds } from './topic-ids.ts'
import { topicsById } from './topics-by-id.ts'

export interface WireProxyOptions {
  /** Loopback: the clients are one workload's own. */
  readonly host: string
  /** The bootstrap port; each broker's listener takes the next free one after it. 0: any free ones. */
  readonly port: number
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly metrics: Metrics
  readonly log: Log
  readonly tracer: Tracer
  /** Largest request that is accepted, in bytes. Default 100 MiB, Kafka's own. */
  readonly maxRequestBytes?: number
  /** Told of what each read of a socket brought, so that the process can collect such memory in time. */
  readonly onRead?: (bytes: number) => void
}

export interface WireProxy extends Listener {
  /** The open listeners: `bootstrap`, and one for each broker by its node id. */
  ports(): ReadonlyMap<string, number>
}

/** Clients notice a broken peer by themselves; this is for the socket that nobody uses. */
const KEEPALIVE_MS = 60_000

/**
 * Starts the Kafka wire proxy: an unmodified client that is pointed at the bootstrap port works under the workload's
 * identity and the mesh's policy. Resolves when the bootstrap port is open; rejects where it cannot be bound.
 */
export async function startWireProxy(options: WireProxyOptions): Promise<WireProxy> {
  const proxy = new RunningProxy(options)
  await proxy.start()
  return proxy
}

class RunningProxy implements WireProxy {
  readonly #options: WireProxyOptions
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #access: Access
  readonly #tally: Tally
  readonly #openSpans = new OpenSpans()
  readonly #groups = new ClientGroups()
  readonly #quotas: Quotas
  readonly #topicIds = new TopicIds((ids) => topicsById(() => this.#connectBootstrap(), ids))
  readonly #nodes: Nodes
  readonly #stopWatching: () => void
  #port = 0
  /** Bootstrap servers are taken in turn. */
  #turn = 0
  #whenEmpty: (() => void) | undefined

  constructor(options: WireProxyOptions) {
    this.#options = options
    this.#access = new Access(options)
    this.#quotas = new Quotas(options.snapshots)
    this.#tally = new Tally(options.metrics, () => this.#access.serviceAccount)
    this.#server = createServer({ noDelay: true }, (client) =>
      this.#accept(client, () => this.#connectBootstrap()),
    )
    this.#nodes = new Nodes({
      host: options.host,
      afterPort: options.port,
      accept: (client, nodeId) =>
        this.#accept(client, async () => this.#connect(this.#nodes.addressOf(nodeId))),
    })
    let cluster = clusterKey(options.snapshots.current().snapshot.kafka)
    this.#stopWatching = options.snapshots.onChange(({ snapshot }) => {
      const next = clusterKey(snapshot.kafka)
      if (next !== cluster) this.#onOtherCluster()
      cluster = next
    })
  }

  get port(): number {
    return this.#port
  }

  async start(): Promise<void> {
    this.#port = await listen(this.#server, this.#options.host, this.#options.port)
  }

  ports(): ReadonlyMap<string, number> {
    return new Map([['bootstrap', this.#port], ...this.#nodes.ports()])
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#stopWatching()
    this.#server.close()
    this.#nodes.close()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#whenEmpty = resolve
    for (const connection of this.#connections) connection.drain()
    if (this.#connections.size === 0) resolve()
    const timer = setTimeout(() => this.#closeAll('the sidecar is stopping'), deadlineMs)
    await promise
    clearTimeout(timer)
    this.#openSpans.close()
    this.#tally.close()
  }

  #accept(client: Socket, connect: () => Promise<Socket>): void {
    const { metrics, maxRequestBytes, onRead } = this.#options
    client.setKeepAlive(true, KEEPALIVE_MS)
    metrics.gauge('weft_kafka_connections').inc()
    const key = {} // stands for this connection where its spans are kept
    const stages = stagesOf({
      ...this.#options,
      access: this.#access,
      tally: this.#tally,
      nodes: this.#nodes,
      topicIds: this.#topicIds,
      openSpans: this.#openSpans,
      groups: this.#groups,
      quotas: this.#quotas,
      connection: key,
    })
    const connection: Connection = new Connection({
      client,
      connect,
      stages,
      ...(maxRequestBytes !== undefined && { maxRequestBytes }),
      ...(onRead !== undefined && { onRead }),
      onClose: (error) => {
        this.#openSpans.closeConnection(key)
        this.#onClose(connection, error)
      },
    })
    this.#connections.add(connection)
  }

  #onClose(connection: Connection, error: MeshError | undefined): void {
    const { metrics, log } = this.#options
    this.#connections.delete(connection)
    metrics.gauge('weft_kafka_connections').dec()
    if (error !== undefined) {
      metrics.counter('weft_kafka_closed_total').inc({ reason: error.code })
      const level = error.code === 'internal' ? 'error' : 'info'
      log[level](
        { reason: error.code, error: error.code === 'internal' ? error : error.message },
        'Kafka connection closed',
      )
    }
    if (this.#connections.size === 0) this.#whenEmpty?.()
  }

  #closeAll(why: string): void {
    for (const connection of this.#connections) connection.close(new MeshError('draining', why))
  }

  /** Another cluster, or another way to reach it: what is open speaks to the old one. Clients connect anew. */
  #onOtherCluster(): void {
    this.#nodes.forgetAddresses()
    this.#closeAll('the Kafka cluster of the mesh has changed')
  }

  async #connectBootstrap(): Promise<Socket> {
    const servers = this.#cluster().bootstrapServers
    let failure = new MeshError('unavailable', 'the mesh has no bootstrap servers (Mesh spec.kafka)')
    for (let tries = 0; tries < servers.length; tries++) {
      const server = servers[this.#turn++ % servers.length]
      try {
        if (server !== undefined) return await this.#connect(toAddress(server))
      } catch (error) {
        failure = MeshError.from(error)
      }
    }
    throw failure
  }

  #connect(address: BrokerAddress): Promise<Socket> {
    return connectBroker(address, this.#cluster().security, this.#options.identity.current())
  }

  #cluster(): KafkaCluster {
    const { kafka } = this.#options.snapshots.current().snapshot
    if (kafka === undefined)
      throw new MeshError('unavailable', 'the mesh has no Kafka cluster: set spec.kafka of the Mesh resource')
    return kafka
  }
}

const clusterKey = (kafka: KafkaCluster | undefined): string => JSON.stringify(kafka ?? null)
