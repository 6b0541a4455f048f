/**
 * Records of several topics that are stored all or not at all. Through the library's transactional producer (ADR 0017): a
 * transaction costs five round trips, so what our own producer saves is not seen here.
 *
 * One transaction at a time per transactional id, so there are a few ids, each this process's own: nobody else is fenced by
 * them. A transaction that did not end is ended at once by a new producer of the same id; where that cannot be reached, the
 * broker ends it after a minute. Until then readers of committed records wait behind it.
 */
import { randomUUID } from 'node:crypto'
import type { Producer } from '@platformatic/kafka'
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import { kafkaClient } from '../../kafka-client.ts'
import type { KafkaConnection } from '../kafka-connection.ts'
import type { OutgoingRecord, StoredAt } from './record.ts'
import { partitionOf } from './topic-lanes.ts'

export interface TransactionsOptions {
  readonly clientId: string
  readonly connection: () => KafkaConnection | undefined
  readonly identity: IdentitySource
  readonly log: Log
}

export interface TopicRecord {
  readonly topic: string
  readonly record: OutgoingRecord
}

interface Slot {
  readonly transactionalId: string
  producer: Producer | undefined
  /** What the producer was made with; another certificate or cluster needs another producer. */
  madeFor: string
  /** Resolves when what the transaction before left open has been ended. */
  ready: Promise<void>
}

/** Time is up: `promise` rejects, and what is under way stops at its next step. */
interface Deadline {
  readonly promise: Promise<never>
  readonly signal: AbortSignal
}

const CONCURRENT_TRANSACTIONS = 4
const MAX_WAITING = 256
const CONNECT_TIMEOUT_MS = 3_000

export class Transactions {
  readonly #options: TransactionsOptions
  readonly #free: Slot[]
  readonly #slots: readonly Slot[]
  readonly #waiting: ((slot: Slot) => void)[] = []
  #keyless = Math.floor(Math.random() * 1_000)

  constructor(options: TransactionsOptions) {
    this.#options = options
    const process = randomUUID()
    this.#slots = Array.from({ length: CONCURRENT_TRANSACTIONS }, (_, index) => ({
      transactionalId: `${options.clientId}-${process}-${index}`,
      producer: undefined,
      madeFor: '',
      ready: Promise.resolve(),
    }))
    this.#free = [...this.#slots]
  }

  /**
   * Resolves with the place of each record when the transaction is committed. Rejects with `event_buffer_full` before anything
   * was done, with `broker_unavailable` where it was aborted, or where nobody knows, after `timeoutMs` at the latest.
   */
  async run(records: readonly TopicRecord[], timeoutMs: number): Promise<readonly StoredAt[]> {
    if (this.#free.length === 0 && this.#waiting.length >= MAX_WAITING)
      throw new MeshError('event_buffer_full', 'too many transactions are waiting; nothing was accepted')
    const { promise, reject } = Promise.withResolvers<never>()
    const controller = new AbortController()
    const timer = setTimeout(() => {
      const error = notCommitted(`nothing within ${timeoutMs} ms`)
      controller.abort(error)
      reject(error)
    }, timeoutMs)
    const deadline = { promise, signal: controller.signal }
    try {
      return await this.#withSlot((slot) => this.#commit(slot, records, deadline), deadline)
    } finally {
      clearTimeout(timer)
    }
  }

  /** What is under way is not waited for: its requests have been answered before. */
  async close(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#drop(slot)))
  }

  async #withSlot<T>(use: (slot: Slot) => Promise<T>, deadline: Deadline): Promise<T> {
    const slot = this.#free.pop() ?? (await this.#nextSlot(deadline))
    try {
      return await use(slot)
    } finally {
      this.#release(slot)
    }
  }

  #release(slot: Slot): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(slot)
    else next(slot)
  }

  async #nextSlot(deadline: Deadline): Promise<Slot> {
    const { promise, resolve } = Promise.withResolvers<Slot>()
    this.#waiting.push(resolve)
    try {
      return await Promise.race([promise, deadline.promise])
    } catch (error) {
      const at = this.#waiting.indexOf(resolve)
      // Its turn came in the same moment: to the next one.
      if (at === -1) void promise.then((slot) => this.#release(slot))
      else this.#waiting.splice(at, 1)
      throw error
    }
  }

  async #commit(
    slot: Slot,
    records: readonly TopicRecord[],
    deadline: Deadline,
  ): Promise<readonly StoredAt[]> {
    try {
      return await Promise.race([this.#transact(slot, records, deadline.signal), deadline.promise])
    } catch (error) {
      slot.ready = this.#abort(slot)
      throw error instanceof MeshError ? error : notCommitted(reasonOf(error), error)
    }
  }

  async #transact(
    slot: Slot,
    records: readonly TopicRecord[],
    signal: AbortSignal,
  ): Promise<readonly StoredAt[]> {
    await slot.ready
    signal.throwIfAborted()
    const producer = await this.#producerOf(slot)
    const topics = [...new Set(records.map(({ topic }) => topic))]
    const metadata = await producer.metadata({ topics })
    signal.throwIfAborted()
    const keyless = this.#keyless++
    const messages = records.map(({ topic, record }) => {
      const partitions = metadata.topics.get(topic)?.partitionsCount ?? 0
      if (partitions === 0) throw notCommitted(`the broker does not know topic ${topic} yet`)
      const partition = record.key === undefined ? keyless % partitions : partitionOf(record.key, partitions)
      return toMessage(topic, partition, record)
    })
    const transaction = await producer.beginTransaction()
    signal.throwIfAborted()
    const { offsets = [] } = await transaction.send({ messages, acks: kafkaClient().ProduceAcks.ALL })
    signal.throwIfAborted()
    await transaction.commit()
    // The broker answers the first offset of each partition; the others follow in the order in which they were sent.
    const next = new Map(offsets.map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]))
    return messages.map(({ topic, partition }) => {
      const offset = next.get(`${topic} ${partition}`) ?? -1n
      next.set(`${topic} ${partition}`, offset + 1n)
      return { partition, offset }
    })
  }

  async #producerOf(slot: Slot): Promise<Producer> {
    const connection = this.#options.connection()
    if (connection === undefined) throw notCommitted('no Kafka cluster is configured in the mesh')
    const madeFor = `${connection.name} ${this.#options.identity.current().expiresAt.getTime()}`
    if (slot.producer !== undefined && slot.madeFor !== madeFor) await this.#drop(slot)
    slot.madeFor = madeFor
    const { bootstrapBrokers, tls, tlsServerName } = connection
    slot.producer ??= new (kafkaClient().Producer)({
      clientId: this.#options.clientId,
      transactionalId: slot.transactionalId,
      bootstrapBrokers,
      ...(tls !== undefined && { tls }),
      ...(tlsServerName !== undefined && tls !== undefined && { tlsServerName }),
      idempotent: true,
      autocreateTopics: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
    })
    return slot.producer
  }

  /** A new producer of the same id: the broker aborts what the one before it left open. */
  async #abort(slot: Slot): Promise<void> {
    await this.#drop(slot)
    try {
      const producer = await this.#producerOf(slot)
      await producer.initIdempotentProducer({})
    } catch (error) {
      this.#options.log.debug({ error }, 'a transaction is left to its timeout')
    }
  }

  async #drop(slot: Slot): Promise<void> {
    const { producer } = slot
    slot.producer = undefined
    await producer?.close(true).catch((error: unknown) => {
      this.#options.log.debug({ error }, 'closing a producer failed')
    })
  }
}

function toMessage(topic: string, partition: number, { key, value, headers, timestampMs }: OutgoingRecord) {
  const fields = new Map<Buffer, Buffer>()
  for (const [name, bytes] of headers) fields.set(Buffer.from(name), Buffer.from(bytes))
  return {
    topic,
    partition,
    ...(key !== undefined && { key: Buffer.from(key) }),
    ...(value !== null && { value: Buffer.from(value) }),
    ...(timestampMs !== undefined && { timestamp: BigInt(timestampMs) }),
    headers: fields,
  }
}

const notCommitted = (why: string, cause?: unknown): MeshError =>
  new MeshError('broker_unavailable', `the transaction was not committed: ${why}`, { cause })

/** The last line of a nested error says what happened. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner: unknown = error instanceof AggregateError ? error.errors.at(-1) : error.cause
  return inner instanceof Error ? reasonOf(inner) : error.message.slice(0, 200)
}
