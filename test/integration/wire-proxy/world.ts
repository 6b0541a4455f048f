/** A real broker, the wire proxy in this process, and unmodified kafkajs clients on both sides of it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { startWireProxy, type WireProxy } from '@weft/broker-bridge/proxy'
import { type Broker, type BrokerOptions, startBroker } from '@weft/control-plane/cli/broker'
import type { IdentitySource } from '@weft/schemas/node/identity'
import { createMetrics, type Metrics } from '@weft/schemas/node/metrics'
import type { KafkaOperation, NamedPolicy } from '@weft/schemas/policy'
import type { Snapshot, TopicEntry } from '@weft/schemas/snapshot'
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import { pino } from 'pino'
import { makeTopics } from '../../process/topics.ts'
import { Snapshots, someIdentity } from '../../process/workload.ts'

export interface World extends AsyncDisposable {
  broker: Broker
  readonly dataDir: string
  /** Without the proxy, to look from outside. */
  readonly direct: Kafka
}

export async function startWorld(options: Partial<BrokerOptions> = {}): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-wire-'))
  const broker = await startBroker({ dataDir, ...options })
  const world: World = {
    broker,
    dataDir,
    direct: kafkaAt(broker.port),
    async [Symbol.asyncDispose]() {
      await world.broker.stop(5_000)
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return world
}

export const kafkaAt = (port: number, config: Partial<KafkaConfig> = {}): Kafka =>
  new Kafka({
    clientId: 'app',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    // kafkajs gives up after a second: less than a handshake may take where many tests share two cores.
    connectionTimeout: 10_000,
    retry: { initialRetryTime: 50, retries: 8 },
    ...config,
  })

export async function createTopics(world: World, ...names: readonly string[]): Promise<void> {
  const admin = world.direct.admin()
  await admin.connect()
  await makeTopics(
    admin,
    names.map((topic) => ({ topic, numPartitions: 2 })),
  )
  await admin.disconnect()
}

/** A Topic of the mesh as a sidecar knows it. */
export const topicEntry = (name: string, part: Partial<TopicEntry> = {}): TopicEntry => ({
  name,
  partitions: 2,
  maxMessageBytes: 1_048_576,
  ...part,
})

/** `allow('orders', ['produce'])`; groups go with consume. */
export const allow = (
  topic: string,
  operations: readonly KafkaOperation[],
  groups?: readonly string[],
): NamedPolicy => ({
  name: `${topic}-${operations.join('-')}`,
  namespace: 'default',
  target: { topic },
  action: 'allow',
  mode: 'enforce',
  rules: [
    {
      from: [{ serviceAccount: 'billing-service' }],
      to: [{ kafka: { operations, ...(groups !== undefined && { groups }) } }],
    },
  ],
})

export interface Bridge extends AsyncDisposable {
  readonly proxy: WireProxy
  readonly snapshots: Snapshots
  readonly metrics: Metrics
  readonly spans: InMemorySpanExporter
  /** Lines of the log, parsed. */
  readonly logged: readonly Record<string, unknown>[]
  readonly kafka: Kafka
  /** The value of a counter, all label sets that hold these labels summed. */
  count(
    name: 'weft_kafka_records_total' | 'weft_kafka_closed_total' | 'weft_policy_refused_total',
    labels: Record<string, string>,
  ): Promise<number>
}

export async function startBridge(
  world: World,
  policies: readonly NamedPolicy[],
  part: Partial<Snapshot> & { readonly identity?: IdentitySource } = {},
): Promise<Bridge> {
  const { identity = someIdentity, ...rest } = part
  const snapshots = new Snapshots({
    policies,
    kafka: { bootstrapServers: world.broker.bootstrapServers, security: 'plaintext' },
    ...rest,
  })
  const metrics = createMetrics()
  const logged: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: (line: string) => logged.push(JSON.parse(line)) })
  const spans = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] })
  const tracer = provider.getTracer('test')
  const proxy = await startWireProxy({
    host: '127.0.0.1',
    port: 0,
    snapshots,
    identity,
    metrics,
    log,
    tracer,
  })
  return {
    proxy,
    snapshots,
    metrics,
    spans,
    logged,
    kafka: kafkaAt(proxy.port),
    async count(name, labels) {
      const { values } = await metrics.counter(name).get()
      const wanted = Object.entries(labels)
      return values
        .filter((value) =>
          wanted.every(([key, text]) => (value.labels as Record<string, unknown>)[key] === text),
        )
        .reduce((sum, { value }) => sum + value, 0)
    },
    async [Symbol.asyncDispose]() {
      await proxy.drain(1_000)
      await provider.shutdown()
    },
  }
}

/** Asks again until it is true; fails with what it was asked for. */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
