/**
 * The log of schemas: a compacted topic of one partition, which every instance reads and any may write.
 *
 *   write:  fence whoever wrote before → read to the end → decide → records in one transaction → read them back
 *
 * Two instances that decide at once cannot both be right: InitProducerId with the one transactional id that all of them use aborts what the other has
 * begun, and makes its commit fail; it then reads what has been written in between, and decides again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Admin, type BaseOptions, ProduceAcks, Producer } from '@platformatic/kafka'
import type { Log } from '@weft/schemas/node/log'
import { RegistryError } from './errors.ts'
import { LogTail } from './log-tail.ts'
import type { Change, SchemaStore } from './registry.ts'
import type { Subjects } from './subjects.ts'

/** Also of the Confluent Schema Registry: one goes on where the other has stopped. They must not write at the same time. */
const SCHEMA_TOPIC = '_schemas'
const TRANSACTIONAL_ID = 'weft-schema-registry'
/** As of the Confluent Schema Registry, where there are so many brokers. */
const REPLICAS = 3
const ATTEMPTS = 6
const FIRST_BACKOFF_MS = 50
/** How long an answer waits for the log to be read for the first time. */
const FIRST_READ_MS = 5_000

export interface SchemaLogOptions {
  /** Undefined while the mesh has no cluster. */
  readonly connection: () => Promise<BaseOptions | undefined>
  readonly admin: () => Promise<Admin | undefined>
  readonly log: Log
}

export class SchemaLog implements SchemaStore {
  readonly #options: SchemaLogOptions
  readonly #tail: LogTail
  /** One at a time: this instance need not fence itself. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: SchemaLogOptions) {
    this.#options = options
    this.#tail = new LogTail({ ...options, topic: SCHEMA_TOPIC })
  }

  /** Runs after schemas have changed. Returns what takes it away again. */
  onChange(listener: () => void): () => void {
    return this.#tail.onChange(listener)
  }

  /** As far as it has been read; undefined before it has been once. */
  current(): Subjects | undefined {
    return this.#tail.subjects
  }

  async read({ fresh }: { readonly fresh: boolean } = { fresh: false }): Promise<Subjects> {
    const known = this.#tail.subjects
    if (known !== undefined && !fresh) return known
    try {
      await this.#tail.untilEnd(FIRST_READ_MS)
    } catch (error) {
      // What was read before is still right; it may not be all.
      if (known === undefined) throw unavailable(error)
    }
    const subjects = this.#tail.subjects
    if (subjects === undefined) throw unavailable('it was not read yet')
    return subjects
  }

  write<T>(decide: (subjects: Subjects) => Change<T>): Promise<T> {
    const done = this.#last.then(() => this.#write(decide))
    this.#last = done.catch(() => {})
    return done
  }

  async #write<T>(decide: (subjects: Subjects) => Change<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(decide)
      } catch (error) {
        if (error instanceof RegistryError) throw error
        this.#options.log.debug({ error, attempt }, 'writing a schema failed')
        if (attempt === ATTEMPTS) throw unavailable(error)
        // With jitter: two that fence each other are not in step.
        await sleep(FIRST_BACKOFF_MS * 2 ** attempt * Math.random())
      }
    }
  }

  async #attempt<T>(decide: (subjects: Subjects) => Change<T>): Promise<T> {
    await this.#makeTopic()
    const connection = await this.#options.connection()
    if (connection === undefined) throw new RegistryError(50003, NO_CLUSTER)
    const producer = new Producer({ ...connection, transactionalId: TRANSACTIONAL_ID, idempotent: true })
    try {
      const transaction = await producer.beginTransaction(NEW_EPOCH)
      const { records, result } = decide(await this.#upToDate())
      if (records.length === 0) {
        await transaction.cancel()
        return result
      }
      const messages = records.map(({ key, value }) => ({
        topic: SCHEMA_TOPIC,
        partition: 0,
        key: Buffer.from(key),
        ...(value !== null && { value: Buffer.from(value) }),
      }))
      await transaction.send({ acks: ProduceAcks.ALL, messages })
      await transaction.commit()
      await this.#tail.untilEnd(FIRST_READ_MS)
      return result
    } finally {
      await producer.close(true)
    }
  }

  async #upToDate(): Promise<Subjects> {
    await this.#tail.untilEnd(FIRST_READ_MS)
    const { subjects } = this.#tail
    if (subjects === undefined) throw new Error('the log was not read')
    return subjects
  }

  /** Made by the first that writes: a mesh without schemas has no topic for them. */
  async #makeTopic(): Promise<void> {
    const admin = await this.#options.admin()
    if (admin === undefined) throw new RegistryError(50003, NO_CLUSTER)
    if ((await admin.listTopics()).includes(SCHEMA_TOPIC)) return
    const { brokers } = await admin.metadata({ forceUpdate: true })
    await admin.createTopics({
      topics: [{ topic: SCHEMA_TOPIC, partitions: 1, replicas: Math.min(REPLICAS, brokers.size) }],
      configs: [{ name: 'cleanup.policy', value: 'compact' }],
    })
  }

  async close(): Promise<void> {
    await this.#tail.close()
    await this.#last
  }
}

/**
 * KIP-360: an InitProducerId of a producer that has no id yet. The client sends 0 and 0 else, which a broker takes for a repetition where
 * these were valid a moment ago: it then gives the same epoch again, nobody is fenced, and it drops what comes as a duplicate.
 */
const NEW_EPOCH = { producerId: -1n, producerEpoch: -1 } as const

const NO_CLUSTER = 'expected spec.kafka in the Mesh resource: there is no cluster to keep schemas in'

const unavailable = (why: unknown): RegistryError =>
  new RegistryError(
    50003,
    `the log of schemas cannot be had: ${why instanceof Error ? why.message : String(why)}`,
  )
