/**
 * Records of several topics that are stored all or not at all.
 *
 * One transaction at a time per transactional id, so there are a few ids, each this process's own: nobody else is fenced by
 * them. A transaction that did not end is ended at once under a new epoch of the same id; where that cannot be reached, the
 * broker ends it after a minute. Until then readers of committed records wait behind it.
 */
import { randomUUID } from 'node:crypto'
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import { BrokerConnections } from '../broker/connections.ts'
import { type OutgoingRecord, recordBytes, type StoredAt } from './record.ts'
import { type ProduceSettings, settingsOf } from './settings.ts'
import { partitionOf } from './topic-lanes.ts'
import { type Part, TransactionalProducer } from './transactional-producer.ts'

export interface TransactionsOptions {
  readonly clientId: string
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly log: Log
}

export interface TopicRecord {
  readonly topic: string
  readonly record: OutgoingRecord
}

interface Slot {
  readonly producer: TransactionalProducer
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
/** To end what was left open. The broker does it by itself after a minute. */
const ABORT_TIMEOUT_MS = 30_000

export class Transactions {
  readonly #options: TransactionsOptions
  readonly #connections: BrokerConnections
  readonly #settings = new Map<string, () => ProduceSettings>()
  readonly #closing = new AbortController()
  readonly #free: Slot[]
  readonly #slots: readonly Slot[]
  readonly #waiting: ((slot: Slot) => void)[] = []
  #keyless = Math.floor(Math.random() * 1_000)

  constructor(options: TransactionsOptions) {
    this.#options = options
    const { clientId, identity, snapshots } = options
    const cluster = () => snapshots.current().snapshot.kafka
    this.#connections = new BrokerConnections({ clientId, identity, cluster })
    const process = randomUUID()
    this.#slots = Array.from({ length: CONCURRENT_TRANSACTIONS }, (_, index) => ({
      producer: new TransactionalProducer(`${clientId}-${process}-${index}`, this.#connections),
      ready: Promise.resolve(),
    }))
    this.#free = [...this.#slots]
  }

  /**
   * Resolves with the place of each record when the transaction is committed. Rejects with `event_buffer_full` before anything
   * was done; where it was aborted, with `event_too_large` or `invalid_event` if a record is at fault, `permission_denied` if the broker's own ACLs
   * are, else `broker_unavailable`, also where nobody knows: after `timeoutMs` at the latest.
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
  close(): void {
    this.#closing.abort()
    this.#connections.close()
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
      throw error instanceof MeshError ? error : notCommitted(String(error), error)
    }
  }

  async #transact(
    { ready, producer }: Slot,
    records: readonly TopicRecord[],
    signal: AbortSignal,
  ): Promise<readonly StoredAt[]> {
    if (this.#options.snapshots.current().snapshot.kafka === undefined)
      throw notCommitted('no Kafka cluster is configured in the mesh')
    await ready
    const leaders = await producer.leadersOf([...new Set(records.map(({ topic }) => topic))], signal)
    const { places, parts } = this.#divide(records, (topic) => leaders.get(topic)?.length ?? 0)
    const epoch = await producer.begin(signal)
    await producer.add(epoch, parts, signal)
    const offsets = new Map<Part, bigint>()
    // Those of one partition one after the other: they are numbered.
    const byPartition = Object.values(
      Object.groupBy(parts, ({ topic, partition }) => `${topic} ${partition}`),
    )
    const writeAll = async (inOrder: readonly Part[] = []): Promise<void> => {
      for (const part of inOrder) {
        const leader = leaders.get(part.topic)?.[part.partition]
        if (leader === undefined) throw notCommitted(`nobody leads ${part.topic}/${part.partition}`)
        offsets.set(part, await producer.produce(epoch, { part, leader }, signal))
      }
    }
    await Promise.all(byPartition.map(writeAll))
    await producer.commit(epoch, signal)
    return places.map(({ part, at }) => ({
      partition: part.partition,
      offset: (offsets.get(part) ?? 0n) + BigInt(at),
    }))
  }

  /** Batches as large as their topics allow, and which of them has each record, at which place. */
  #divide(records: readonly TopicRecord[], partitionsOf: (topic: string) => number) {
    const keyless = this.#keyless++
    const parts: Filling[] = []
    const filling = new Map<string, Filling>()
    const places = records.map(({ topic, record }) => {
      const partition = record.partition ?? partitionFor(record, partitionsOf(topic), keyless)
      const place = `${topic} ${partition}`
      const bytes = recordBytes(record)
      let part = filling.get(place)
      if (part === undefined || part.bytes + bytes > part.settings.batchBytes) {
        part = { topic, partition, settings: this.#settingsOf(topic)(), records: [], bytes: 0 }
        filling.set(place, part)
        parts.push(part)
      }
      part.bytes += bytes
      return { part, at: part.records.push(record) - 1 }
    })
    return { places, parts }
  }

  #settingsOf(topic: string): () => ProduceSettings {
    let settings = this.#settings.get(topic)
    if (settings === undefined) {
      settings = settingsOf(this.#options.snapshots, topic)
      this.#settings.set(topic, settings)
    }
    return settings
  }

  /** Under a new epoch: the broker aborts what the one before it left open. */
  async #abort({ producer }: Slot): Promise<void> {
    producer.abandon()
    try {
      await producer.begin(AbortSignal.any([this.#closing.signal, AbortSignal.timeout(ABORT_TIMEOUT_MS)]))
    } catch (error) {
      this.#options.log.debug({ error }, 'a transaction is left to its timeout')
    }
  }
}

interface Filling extends Part {
  readonly settings: ProduceSettings
  readonly records: OutgoingRecord[]
  bytes: number
}

const partitionFor = ({ key }: OutgoingRecord, partitions: number, keyless: number): number =>
  key === undefined ? keyless % partitions : partitionOf(key, partitions)

const notCommitted = (why: string, cause?: unknown): MeshError =>
  new MeshError('broker_unavailable', `the transaction was not committed: ${why}`, { cause })
