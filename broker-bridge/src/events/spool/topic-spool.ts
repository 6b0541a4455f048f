import { setTimeout as sleep } from 'node:timers/promises'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { Producer } from '../produce/producer.ts'
import type { OutgoingRecord } from '../produce/record.ts'
import { fromEntry, toEntry } from './entry.ts'
import type { SegmentLog } from './segment-log.ts'

export interface TopicSpoolOptions {
  readonly topic: string
  readonly segments: SegmentLog
  readonly producer: Producer
  /** False where the disk has no room for so many bytes more. */
  readonly hasRoom: (bytes: number) => boolean
  /** Bytes that wait, after each change. */
  readonly onBytes: (bytes: number) => void
  /** An event that the broker will never take. */
  readonly onRefused: (error: MeshError) => void
  readonly log: Log
}

/** Read and published at once; in memory only then. */
const CHUNK_BYTES = 1_048_576
const SEND_TIMEOUT_MS = 10_000
const RETRY_MS = 500

/**
 * The events of one topic that the broker could not take. As long as there are any, later ones go behind them: they are published in
 * the order in which they came, at least once.
 */
export class TopicSpool {
  readonly #options: TopicSpoolOptions
  readonly #stop = new AbortController()
  #draining: Promise<void> | undefined

  constructor(options: TopicSpoolOptions) {
    this.#options = options
    this.#changed()
  }

  /** Something waits: what comes now must not overtake it. */
  get isActive(): boolean {
    return this.#options.segments.bytes > 0
  }

  get bytes(): number {
    return this.#options.segments.bytes
  }

  /** Resolves when the record is on the disk. Rejects with `event_buffer_full`, or `internal` where the disk fails. */
  async append(record: OutgoingRecord): Promise<void> {
    const entry = toEntry(record)
    if (!this.#options.hasRoom(entry.length))
      throw new MeshError(
        'event_buffer_full',
        'the broker is away and the spool is full; nothing was accepted',
      )
    const appended = this.#options.segments.append(entry)
    this.#changed()
    await appended
  }

  /** What has been appended gets to the disk; what waits there is for the next process. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#draining
    await this.#options.segments.close()
  }

  #changed(): void {
    this.#options.onBytes(this.bytes)
    if (this.isActive && !this.#stop.signal.aborted) this.#draining ??= this.#drain()
  }

  async #drain(): Promise<void> {
    const { segments, topic, log } = this.#options
    log.info({ topic, bytes: this.bytes }, 'publishing what waits in the spool')
    while (this.isActive && !this.#stop.signal.aborted) {
      try {
        const { entries, next } = await segments.take(CHUNK_BYTES)
        if (entries.length === 0) await this.#pause()
        else if (await this.#publishAll(entries.map(fromEntry))) await segments.commit(next)
      } catch (error) {
        log.error({ error, topic }, 'the spool cannot be read')
        await this.#pause()
      }
      this.#options.onBytes(this.bytes)
    }
    this.#draining = undefined
    // Between the last look and now something may have come.
    if (!this.#stop.signal.aborted) this.#changed()
  }

  /** True when all are done, false when the process stops before. */
  async #publishAll(records: readonly OutgoingRecord[]): Promise<boolean> {
    let left = records
    while (left.length > 0) {
      if (this.#stop.signal.aborted) return false
      left = await this.#publishOnce(left)
      if (left.length > 0) await this.#pause()
    }
    return true
  }

  /** Those that the broker did not acknowledge, in their order. */
  async #publishOnce(records: readonly OutgoingRecord[]): Promise<readonly OutgoingRecord[]> {
    const { producer, topic, onRefused } = this.#options
    const sent = records.map((record) =>
      producer.publish(topic, record, SEND_TIMEOUT_MS).then(
        () => undefined,
        (thrown: unknown) => {
          const error = MeshError.from(thrown)
          if (error.code === 'broker_unavailable' || error.code === 'draining') return record
          onRefused(error)
          return undefined
        },
      ),
    )
    return (await Promise.all(sent)).filter((record) => record !== undefined)
  }

  async #pause(): Promise<void> {
    await sleep(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
  }
}
