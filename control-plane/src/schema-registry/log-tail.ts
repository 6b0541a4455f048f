/** Follows a topic of one partition from its beginning, as far as transactions have committed, and keeps what it says. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Admin, type BaseOptions, Consumer, ListOffsetTimestamps } from '@platformatic/kafka'
import type { Log } from '@weft/schemas/node/log'
import { Committed, endOf } from '../kafka/committed.ts'
import { fetchPartition } from '../kafka/fetch.ts'
import { unlessUnknown } from '../kafka/unknown-topic.ts'
import { applyRecord } from './log-records.ts'
import { Subjects } from './subjects.ts'

export interface LogTailOptions {
  readonly topic: string
  readonly connection: () => Promise<BaseOptions | undefined>
  readonly admin: () => Promise<Admin | undefined>
  readonly log: Log
}

const READ_UNCOMMITTED = 0
/** The broker answers at once where there is something. */
const MAX_WAIT_MS = 1_000
const LIMITS = { maxWaitMs: MAX_WAIT_MS, maxBytes: 4 * 1024 * 1024 } as const
const FIRST_BACKOFF_MS = 200
const MAX_BACKOFF_MS = 5_000
const CLOSE_MS = 1_000
/** Before the certificate of its connection ends: the half of its life, as for every connection to the broker. */
const CONNECTION_LIFE_MS = 30 * 60_000

export class LogTail {
  readonly #options: LogTailOptions
  readonly #listeners = new Set<() => void>()
  readonly #stopped = new AbortController()
  #consumer: Consumer | undefined
  #bornAt = 0
  #subjects = new Subjects()
  #committed = new Committed()
  #position = -1n
  #topicId = ''
  /** After an error: what was read may not be in the log any more. */
  #isSuspect = false
  #wasRead = false
  #isEmpty = false
  /** Wakes who waits for the position. */
  #moved = Promise.withResolvers<void>()
  readonly #done: Promise<void>

  constructor(options: LogTailOptions) {
    this.#options = options
    this.#done = this.#run()
  }

  /** Undefined before the log was read to where it ended. */
  get subjects(): Subjects | undefined {
    return this.#wasRead ? this.#subjects : undefined
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when all is read that was in the log at the call. Rejects where the broker does not answer, or not in time. */
  async untilEnd(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    const left = (): number => deadline - performance.now()
    const end = await within(left(), this.#end())
    while (end === undefined ? !this.#isEmpty : this.#position < end) {
      if (left() <= 0) throw new Error(`the log of schemas was not read within ${timeoutMs} ms`)
      await within(left(), this.#moved.promise)
    }
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    // What is being asked of a broker, which may be gone already, ends with its connection.
    await this.#disconnect()
    await Promise.race([this.#done, sleep(CLOSE_MS, undefined, { ref: false })])
  }

  async #run(): Promise<void> {
    let failures = 0
    while (!this.#stopped.signal.aborted) {
      try {
        const isThere = await this.#step()
        failures = 0
        if (!isThere) await this.#pause(MAX_WAIT_MS)
      } catch (error) {
        if (this.#stopped.signal.aborted) break
        // Before it was ever read nobody may want it: who does says so himself.
        const level = this.#wasRead ? 'warn' : 'debug'
        if (failures++ === 0)
          this.#options.log[level]({ error }, 'the log of schemas cannot be read; trying again')
        this.#isSuspect = true
        await this.#disconnect()
        await this.#pause(Math.min(FIRST_BACKOFF_MS * 2 ** failures, MAX_BACKOFF_MS))
      }
    }
    await this.#disconnect()
    this.#wake()
  }

  async #pause(delayMs: number): Promise<void> {
    await sleep(delayMs, undefined, { signal: this.#stopped.signal, ref: false }).catch(() => {})
  }

  /** False where there is no such topic, or no cluster. */
  async #step(): Promise<boolean> {
    const consumer = await this.#connected()
    const layout = consumer && (await this.#layout(consumer))
    if (consumer === undefined || layout === undefined) {
      this.#isEmpty = true
      if (this.#topicId !== '') {
        this.#reset(-1n)
        this.#topicId = ''
        this.#notify()
      }
      this.#wasRead = consumer !== undefined
      this.#wake()
      return false
    }
    this.#isEmpty = false
    await this.#findStart(consumer, layout.id)
    const place = { topicId: layout.id, node: layout.node, partition: 0, offset: this.#position }
    const part = await fetchPartition(consumer, place, LIMITS)
    this.#take(part?.records ?? [], part?.abortedTransactions ?? [])
    const stableEnd = part?.lastStableOffset ?? -1n
    if (stableEnd >= 0n && this.#position >= stableEnd) this.#wasRead = true
    this.#wake()
    return true
  }

  #take(batches: Parameters<Committed['records']>[0], aborted: Parameters<Committed['records']>[1]): void {
    let changes = 0
    for (const { offset, key, value } of this.#committed.records(batches, aborted)) {
      if (offset < this.#position) continue
      changes++
      try {
        applyRecord(this.#subjects, key, value)
      } catch (error) {
        this.#options.log.warn(
          { topic: this.#options.topic, offset: String(offset), reason: String(error) },
          'a record of the log of schemas is not understood, and left out',
        )
      }
    }
    this.#position = endOf(batches) ?? this.#position
    if (changes > 0) this.#notify()
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }

  /** At the beginning where nothing was read yet, or where somebody has made the topic anew. */
  async #findStart(consumer: Consumer, topicId: string): Promise<void> {
    if (topicId === this.#topicId && !this.#isSuspect) return
    const start = await this.#limit(consumer, ListOffsetTimestamps.EARLIEST)
    const end = await this.#limit(consumer, ListOffsetTimestamps.LATEST)
    if (topicId !== this.#topicId || this.#position < start || this.#position > end) this.#reset(start)
    this.#topicId = topicId
    this.#isSuspect = false
  }

  async #limit(consumer: Consumer, timestamp: bigint): Promise<bigint> {
    const { topic } = this.#options
    const offsets = await consumer.listOffsets({
      topics: [topic],
      timestamp,
      isolationLevel: READ_UNCOMMITTED,
    })
    return offsets.get(topic)?.[0] ?? 0n
  }

  #reset(position: bigint): void {
    this.#subjects = new Subjects()
    this.#committed = new Committed()
    this.#position = position
    this.#wasRead = false
  }

  /** Undefined where there is no such topic. */
  async #layout(consumer: Consumer): Promise<{ readonly id: string; readonly node: number } | undefined> {
    const { topic } = this.#options
    const { topics } =
      (await unlessUnknown(consumer.metadata({ topics: [topic], autocreateTopics: false }))) ?? {}
    const found = topics?.get(topic)
    return found && { id: found.id, node: found.partitions[0]?.leader ?? -1 }
  }

  /** Where the log ends; undefined where there is none. By another connection: on this one the broker answers the fetch first, which waits. */
  async #end(): Promise<bigint | undefined> {
    const admin = await this.#options.admin()
    const partitions = [{ partitionIndex: 0, timestamp: ListOffsetTimestamps.LATEST }]
    const listed = await unlessUnknown(
      Promise.resolve(
        admin?.listOffsets({
          topics: [{ name: this.#options.topic, partitions }],
          // What is committed may be told before its marker is there: waiting for the end of all waits for that, too.
          isolationLevel: READ_UNCOMMITTED,
        }),
      ),
    )
    return listed?.[0]?.partitions[0]?.offset
  }

  async #connected(): Promise<Consumer | undefined> {
    if (this.#consumer !== undefined && performance.now() - this.#bornAt > CONNECTION_LIFE_MS)
      await this.#disconnect()
    if (this.#consumer !== undefined) return this.#consumer
    const connection = await this.#options.connection()
    if (connection === undefined) return undefined
    this.#consumer ??= new Consumer({ ...connection, groupId: 'weft-schema-registry' })
    this.#bornAt = performance.now()
    return this.#consumer
  }

  async #disconnect(): Promise<void> {
    const consumer = this.#consumer
    this.#consumer = undefined
    await consumer?.close(true).catch(() => {})
  }

  #wake(): void {
    this.#moved.resolve()
    this.#moved = Promise.withResolvers()
  }
}

async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  const timer = Promise.withResolvers<never>()
  const timeout = setTimeout(
    () => timer.reject(new Error('the broker did not answer in time')),
    Math.max(0, timeoutMs),
  )
  try {
    return await Promise.race([promise, timer.promise])
  } finally {
    clearTimeout(timeout)
  }
}
