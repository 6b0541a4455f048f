/**
 * The records of one topic on their way to the broker. One `send` is in flight at a time and takes all that has come since
 * the last one: requests of one event-loop turn leave together, under load a batch fills while the one before is acknowledged.
 *
 * One at a time also keeps the order. The client numbers the records of all sends that are in flight with one producer id and
 * gives up the id when one of them fails; a second send in flight would then be refused as out of sequence, and repeated
 * behind later ones. A lane has a producer of its own, so that a topic in trouble does not hold up another.
 *
 * The client repeats a send with the same sequence numbers until it is acknowledged, so a connection lost half way stores
 * nothing twice. When the deadline of every event in it has passed, the send is given up with its producer.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { KafkaConnection } from '../kafka-connection.ts'
import { type Placed, partitionOf, tellStored, toMessage } from './batch.ts'
import { brokerUnavailable, produceError, storedDespite } from './produce-errors.ts'
import { type OutgoingRecord, recordBytes, type StoredAt } from './record.ts'

export interface LaneOptions {
  readonly topic: string
  readonly clientId: string
  /** Read for each new producer. Undefined where no cluster is configured. */
  readonly connection: () => KafkaConnection | undefined
  readonly log: Log
}

/** One event, between its request and its answer. */
interface Waiting {
  readonly record: OutgoingRecord
  readonly bytes: number
  readonly maxBatchBytes: number
  readonly settle: (error: MeshError | undefined, at?: StoredAt) => void
  settled: boolean
}

/** A broker that has been away for this long gets no more events to wait for it: they are refused at once until it is back. */
const FAIL_FAST_AFTER_MS = 2_000
const MAX_BATCH_RECORDS = 1_000
/** A producer numbers its records per partition in 31 bits, and the client does not wrap: a new producer in time. */
const MAX_RECORDS_PER_PRODUCER = 1_000_000_000
const RETRY_BASE_MS = 50
const RETRY_MAX_MS = 1_000

export class ProducerLane {
  readonly #options: LaneOptions
  #producer: Producer | undefined
  #queue: Waiting[] = []
  #flying: readonly Waiting[] = []
  #giveUp = Promise.withResolvers<void>()
  #planned = false
  #stale = false
  #sentByProducer = 0
  #closed = false
  /** Since when the client has been repeating; undefined while all is well. */
  #troubleSince: number | undefined
  #nextPartition = Math.floor(Math.random() * 1_000)
  #onIdle: (() => void) | undefined
  #reconnecting = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** Resolves when the broker has acknowledged (acks=all); rejects with a MeshError, at `timeoutMs` at the latest. */
  publish(record: OutgoingRecord, limits: { timeoutMs: number; maxBatchBytes: number }): Promise<StoredAt> {
    const { topic } = this.#options
    if (this.#closed) return Promise.reject(new MeshError('draining', 'the sidecar is stopping'))
    if (this.#troubleSince !== undefined && Date.now() - this.#troubleSince > FAIL_FAST_AFTER_MS)
      return Promise.reject(
        brokerUnavailable(topic, new Error('the broker has been unreachable, a connection is being tried')),
      )
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        record,
        bytes: recordBytes(record),
        maxBatchBytes: limits.maxBatchBytes,
        settled: false,
        settle: (error, at) => {
          if (waiting.settled) return
          waiting.settled = true
          clearTimeout(timer)
          if (at !== undefined) resolve(at)
          else reject(error ?? brokerUnavailable(topic))
        },
      }
      const timer = setTimeout(() => {
        waiting.settle(brokerUnavailable(topic, new Error(`nothing within ${limits.timeoutMs} ms`)))
        this.#afterExpiry()
      }, limits.timeoutMs)
      this.#queue.push(waiting)
      this.#plan()
    })
  }

  /** The next send uses a new producer (a new certificate, another cluster); one that is in flight ends first. */
  refresh(): void {
    this.#stale = true
  }

  /** Takes nothing more, waits for what is in flight up to the deadline, then closes. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true
    if (this.#flying.length > 0 || this.#queue.length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onIdle = resolve
      const timer = setTimeout(resolve, deadlineMs)
      await promise
      clearTimeout(timer)
    }
    for (const waiting of [...this.#flying, ...this.#queue])
      waiting.settle(brokerUnavailable(this.#options.topic, new Error('the sidecar stopped before')))
    this.#dropProducer()
  }

  #plan(): void {
    if (this.#planned || this.#flying.length > 0) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      void this.#pump()
    })
  }

  async #pump(): Promise<void> {
    if (this.#flying.length > 0) return
    const batch = this.#takeBatch()
    if (batch.length === 0) {
      this.#onIdle?.()
      return
    }
    this.#flying = batch
    this.#giveUp = Promise.withResolvers()
    await Promise.race([this.#send(batch), this.#giveUp.promise])
    this.#flying = []
    if (this.#queue.length > 0) this.#plan()
    else this.#onIdle?.()
  }

  #takeBatch(): Waiting[] {
    const live = this.#queue.filter((waiting) => !waiting.settled)
    let bytes = 0
    let count = 0
    // The broker's limit is on the batch, not on the record.
    while (count < live.length && count < MAX_BATCH_RECORDS) {
      const { bytes: more, maxBatchBytes } = live[count] as Waiting
      if (count > 0 && bytes + more > maxBatchBytes) break
      bytes += more
      count++
    }
    this.#queue = live.slice(count)
    return live.slice(0, count)
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const { topic } = this.#options
    let placed: Placed[] = []
    try {
      const producer = this.#currentProducer()
      const metadata = await producer.metadata({ topics: [topic] })
      placed = this.#place(batch, metadata.topics.get(topic)?.partitionsCount ?? 0)
      const messages = placed.map((each) => toMessage(topic, each))
      this.#sentByProducer += messages.length
      if (this.#sentByProducer > MAX_RECORDS_PER_PRODUCER) this.#stale = true
      const { offsets = [] } = await producer.send({ messages, acks: ProduceAcks.ALL })
      this.#troubleSince = undefined
      tellStored(placed, new Map(offsets.map(({ partition, offset }) => [partition, offset])))
    } catch (error) {
      tellStored(placed, storedDespite(error))
      await this.#afterFailure(
        batch.filter((waiting) => !waiting.settled),
        error,
      )
    }
  }

  async #afterFailure(left: readonly Waiting[], error: unknown): Promise<void> {
    const fault = produceError(error, this.#options.topic)
    // One record too large refuses the whole batch: each alone then, in order.
    if (fault.code === 'event_too_large' && left.length > 1) {
      for (const waiting of left) if (!waiting.settled) await this.#send([waiting])
      return
    }
    for (const waiting of left) waiting.settle(fault)
    if (this.#troubleSince !== undefined) void this.#reconnect()
  }

  #place(batch: readonly Waiting[], partitions: number): Placed[] {
    if (partitions === 0) throw new Error('the broker does not know the topic yet')
    // Records without a key stay together in one partition per batch: one request instead of many small ones.
    const keyless = this.#nextPartition++
    return batch.map(({ record, settle }) => ({
      record,
      partition: partitionOf(record, partitions, keyless),
      onStored: (at) => settle(undefined, at),
    }))
  }

  #currentProducer(): Producer {
    if (this.#stale) this.#dropProducer()
    this.#producer ??= this.#newProducer()
    return this.#producer
  }

  #newProducer(): Producer {
    this.#stale = false
    this.#sentByProducer = 0
    const connection = this.#options.connection()
    if (connection === undefined)
      throw new MeshError('broker_unavailable', 'no Kafka cluster is configured in the mesh')
    const { bootstrapBrokers, tls, tlsServerName } = connection
    const producer = new Producer({
      clientId: this.#options.clientId,
      bootstrapBrokers,
      ...(tls !== undefined && { tls }),
      ...(tlsServerName !== undefined && tls !== undefined && { tlsServerName }),
      idempotent: true,
      acks: ProduceAcks.ALL,
      autocreateTopics: false,
      connectTimeout: 3_000,
      retries: Number.MAX_SAFE_INTEGER,
      retryDelay: (_client, _operation, attempt) =>
        Math.random() * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(attempt, 10)),
    })
    producer.on('client:performWithRetry:retry', () => {
      if (this.#producer === producer) this.#troubleSince ??= Date.now()
    })
    return producer
  }

  #dropProducer(): void {
    const producer = this.#producer
    this.#producer = undefined
    producer
      ?.close(true)
      .catch((error: unknown) => this.#options.log.debug({ error }, 'closing a producer failed'))
  }

  /** A send whose events have all been answered 503 is given up, so that it is not stored long after. */
  #afterExpiry(): void {
    if (this.#flying.length === 0 || this.#flying.some((waiting) => !waiting.settled)) return
    this.#dropProducer()
    this.#giveUp.resolve()
    void this.#reconnect()
  }

  /** While requests are refused at once, somebody has to notice that the broker is back. */
  async #reconnect(): Promise<void> {
    if (this.#reconnecting) return
    this.#reconnecting = true
    while (!this.#closed && this.#troubleSince !== undefined) {
      try {
        const producer = this.#currentProducer()
        await producer.metadata({ topics: [this.#options.topic], forceUpdate: true })
        this.#troubleSince = undefined
      } catch (error) {
        this.#options.log.debug({ error, topic: this.#options.topic }, 'no connection to the broker yet')
        await sleep(RETRY_MAX_MS, undefined, { ref: false })
      }
    }
    this.#reconnecting = false
  }
}
