/** A real broker, the event API in this process, and an app that it delivers to: what every test here is made of. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Tracer, trace } from '@opentelemetry/api'
import { startEvents } from '@weft/broker-bridge/events'
import { type Broker, type BrokerOptions, startBroker } from '@weft/control-plane/cli/broker'
import type { IdentitySource } from '@weft/schemas/node/identity'
import { createLog } from '@weft/schemas/node/log'
import { createMetrics, type Metrics } from '@weft/schemas/node/metrics'
import type { NamedPolicy } from '@weft/schemas/policy'
import type { Snapshot, SnapshotSource, SubscriptionEntry } from '@weft/schemas/snapshot'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { listenForEvents } from '../../../sidecar/src/events/index.ts'
import { makeTopics } from '../../process/topics.ts'
import { Snapshots, someIdentity } from '../../process/workload.ts'

export const log = createLog('events-test')
log.level = process.env.WEFT_LOG_LEVEL ?? 'silent'

export interface World extends AsyncDisposable {
  readonly broker: Broker
  readonly kafka: Kafka
  readonly admin: Admin
  readonly dataDir: string
}

/** One broker and a kafkajs client to look at it from outside. */
export async function startWorld(options: Partial<BrokerOptions> = {}): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-events-'))
  const broker = await startBroker({ dataDir, ...options })
  const kafka = new Kafka({ brokers: [...broker.bootstrapServers], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  return {
    broker,
    kafka,
    admin,
    dataDir,
    async [Symbol.asyncDispose]() {
      await admin.disconnect().catch(() => {})
      await broker.stop(5_000)
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export async function createTopic(world: World, topic: string, partitions = 1): Promise<void> {
  await makeTopics(world.admin, [{ topic, numPartitions: partitions }])
}

export function snapshotOf(bootstrapServers: readonly string[], part: Partial<Snapshot> = {}): Snapshots {
  return new Snapshots({
    defaultAction: 'allow',
    kafka: { bootstrapServers, security: 'plaintext' },
    ...part,
  })
}

export const topicEntry = (name: string, maxMessageBytes = 1_048_576) => ({
  name,
  partitions: 1,
  maxMessageBytes,
})

export function subscriptionEntry(topic: string, part: Partial<SubscriptionEntry> = {}): SubscriptionEntry {
  return {
    name: `on-${topic}`,
    topic,
    group: `${topic}-group`,
    path: '/events',
    startAt: 'earliest',
    maxInFlight: 16,
    timeoutMs: 2_000,
    retry: { attempts: 3, backoffBaseMs: 10, backoffMaxMs: 100 },
    deadLetterTopic: `${topic}.dlt`,
    ...part,
  }
}

/** One that is taken by streams, by the name of its topic. */
export function streamEntry(topic: string, part: Partial<SubscriptionEntry> = {}): SubscriptionEntry {
  const { path: _, ...entry } = subscriptionEntry(topic, { name: topic, ...part })
  return entry
}

export const denies = (topic: string): NamedPolicy => ({
  name: `no-${topic}`,
  namespace: 'default',
  target: { topic },
  action: 'deny',
  mode: 'enforce',
  rules: [{ to: [{ kafka: { operations: ['produce', 'consume'] } }] }],
})

export interface Bridge extends AsyncDisposable {
  readonly url: string
  readonly grpcTarget: string
  readonly metrics: Metrics
  drain(deadlineMs: number): Promise<void>
}

export async function startBridge(
  snapshots: SnapshotSource,
  options: {
    readonly appPort?: number
    readonly identity?: IdentitySource
    readonly tracer?: Tracer
    readonly spoolDir?: string
  } = {},
): Promise<Bridge> {
  const metrics = createMetrics()
  const listener = await startEvents({
    host: '127.0.0.1',
    port: 0,
    grpcPort: 0,
    listen: listenForEvents({ metrics, log }),
    spoolDir: options.spoolDir,
    appPort: options.appPort,
    snapshots,
    identity: options.identity ?? someIdentity,
    metrics,
    log,
    tracer: options.tracer ?? trace.getTracer('test'),
  })
  let drained = false
  const drain = (deadlineMs: number) => {
    drained = true
    return listener.drain(deadlineMs)
  }
  return {
    url: `http://127.0.0.1:${listener.port}`,
    grpcTarget: `127.0.0.1:${listener.grpcPort}`,
    metrics,
    drain,
    async [Symbol.asyncDispose]() {
      if (!drained) await drain(2_000)
    },
  }
}

export interface Delivery {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | undefined
  readonly attempt: number
}

/** Status to answer with, or `drop`: the connection is closed without an answer. */
export type Reply = number | 'drop' | { readonly status: number; readonly headers: Record<string, string> }

/** The app behind a sidecar: it remembers what it got and answers as the test says. */
export class App implements AsyncDisposable {
  readonly got: Delivery[] = []
  readonly #server: Server
  readonly #waiters = new Set<() => void>()
  readonly #reply: (delivery: Delivery) => Reply | Promise<Reply>

  private constructor(reply: (delivery: Delivery) => Reply | Promise<Reply>) {
    this.#reply = reply
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('error', () => {})
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => void this.#answer(toDelivery(request.headers, Buffer.concat(chunks)), response))
    })
  }

  async #answer(delivery: Delivery, response: ServerResponse): Promise<void> {
    this.got.push(delivery)
    const answer = await this.#reply(delivery)
    if (answer === 'drop') response.socket?.destroy()
    else if (typeof answer === 'number') response.writeHead(answer).end()
    else response.writeHead(answer.status, answer.headers).end()
    for (const waiter of [...this.#waiters]) waiter()
  }

  static async start(
    reply: (delivery: Delivery) => Reply | Promise<Reply> = () => 204,
    port = 0,
  ): Promise<App> {
    const app = new App(reply)
    app.#server.listen(port, '127.0.0.1')
    await once(app.#server, 'listening')
    return app
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Resolves when what the app got fulfils the condition. */
  async until(condition: (got: readonly Delivery[]) => boolean, limitMs = 30_000): Promise<void> {
    if (condition(this.got)) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(
      () => reject(new Error(`not within ${limitMs} ms; the app got ${this.got.length} deliveries`)),
      limitMs,
    )
    const waiter = () => condition(this.got) && resolve()
    this.#waiters.add(waiter)
    await promise.finally(() => {
      clearTimeout(timer)
      this.#waiters.delete(waiter)
    })
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close').catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop()
  }
}

function toDelivery(headers: IncomingHttpHeaders, body: Buffer): Delivery {
  const text = (name: string) => (typeof headers[name] === 'string' ? headers[name] : '')
  return {
    headers,
    body,
    topic: text('weft-topic'),
    partition: Number(text('weft-partition')),
    offset: Number(text('weft-offset')),
    key: headers['weft-key'] === undefined ? undefined : text('weft-key'),
    attempt: Number(text('weft-attempt')),
  }
}

export interface Stored {
  readonly partition: number
  readonly offset: number
  readonly key: string | undefined
  readonly value: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** Everything that is in a topic now, read by another client. */
export async function readTopic(world: World, topic: string): Promise<Stored[]> {
  const ends = await world.admin.fetchTopicOffsets(topic)
  const wanted = ends.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
  if (wanted === 0) return []
  const consumer = world.kafka.consumer({ groupId: `reader-${Math.random()}` })
  const stored: Stored[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const { promise, resolve } = Promise.withResolvers<void>()
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries(message.headers ?? {})) headers[name] = String(value)
      stored.push({
        partition,
        offset: Number(message.offset),
        key: message.key?.toString(),
        value: message.value?.toString(),
        headers,
      })
      if (stored.length >= wanted) resolve()
    },
  })
  await promise
  await consumer.disconnect()
  return stored
}

/** Committed offset per partition; -1 where there is none, nothing where the coordinator is only starting. */
export async function committed(world: World, group: string, topic: string): Promise<Map<number, number>> {
  try {
    const [offsets] = await world.admin.fetchOffsets({ groupId: group, topics: [topic] })
    return new Map((offsets?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]))
  } catch (error) {
    if ((error as { retriable?: boolean }).retriable === true) return new Map()
    throw error
  }
}

/** Looks again until it holds: for the state of the broker, which tells nobody when it changes. */
export async function eventually(check: () => Promise<boolean>, limitMs = 30_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
