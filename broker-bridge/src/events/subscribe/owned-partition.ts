import type { RecordsBatch } from '@platformatic/kafka'
import type { Outcome } from '../deliver/deliver.ts'
import type { DeliverHooks, DeliverSignals } from '../deliver/hand-on.ts'
import type { ReadRecord } from '../deliver/record.ts'
import { AckedPrefix } from './acked-prefix.ts'
import { type Item, KeyLanes } from './key-lanes.ts'

export interface PartitionOptions {
  readonly topic: string
  readonly partition: number
  /** The offset that is read first. */
  readonly start: bigint
  readonly maxInFlight: () => number
  readonly deliver: (record: ReadRecord, control: DeliverSignals & DeliverHooks) => Promise<Outcome>
  /** The committable offset has moved. */
  readonly onProgress: () => void
  /** There is room for more records. */
  readonly onRoom: () => void
  /** A delivery ended with an error of ours: its record is neither acknowledged nor passed. */
  readonly onFault: (error: unknown) => void
}

/** What waits in memory per partition: no more is fetched above these, and again below half of them. */
const MAX_WAITING_RECORDS = 1_000
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** Records past one that does not get through: what a crash would deliver again. */
const MAX_SPAN = 10_000

/**
 * One partition for as long as one assignment of it lasts: its records in memory, the deliveries in flight, and what may be
 * committed. A partition that is lost and comes back is a new object: nothing of the old assignment can reach the new one.
 */
export class OwnedPartition {
  readonly partition: number
  readonly #options: PartitionOptions
  readonly #prefix: AckedPrefix
  readonly #lanes: KeyLanes<ReadRecord>
  readonly #lost = new AbortController()
  readonly #ending = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #fetchOffset: bigint
  #waitingRecords = 0
  #waitingBytes = 0
  #full = false
  #blocked = 0

  constructor(options: PartitionOptions) {
    this.#options = options
    this.partition = options.partition
    this.#fetchOffset = options.start
    this.#prefix = new AckedPrefix(options.start)
    this.#lanes = new KeyLanes(options.maxInFlight)
  }

  get fetchOffset(): bigint {
    return this.#fetchOffset
  }

  get committable(): bigint {
    return this.#prefix.committable
  }

  /** Lost or ending: nothing fetched for it counts any more. */
  get isOver(): boolean {
    return this.#lost.signal.aborted || this.#ending.signal.aborted
  }

  get wantsMore(): boolean {
    return !this.isOver && !this.#full && this.#prefix.span < MAX_SPAN
  }

  /** Takes what was fetched at `fetchOffset`. `end` is where the log goes on after it. */
  accept(batches: readonly RecordsBatch[], end: bigint): void {
    for (const batch of batches) {
      for (const raw of batch.records) {
        const offset = batch.firstOffset + BigInt(raw.offsetDelta)
        // A batch is fetched whole, also where the position is in the middle of it.
        if (offset >= this.#fetchOffset) this.#add(toRecord(this.#options, batch, raw, offset))
      }
    }
    if (end > this.#fetchOffset) this.#fetchOffset = end
    this.#prefix.advance(this.#fetchOffset)
    this.#updateRoom()
    this.#options.onProgress()
    this.dispatch()
  }

  /** Hands out what may go now. */
  dispatch(): void {
    while (!this.isOver && this.#blocked === 0) {
      const item = this.#lanes.next()
      if (item === undefined) return
      const run = this.#run(item)
        .catch(this.#options.onFault)
        .finally(() => this.#running.delete(run))
      this.#running.add(run)
    }
  }

  /** The assignment is over: deliveries are broken off, their answers no longer count. Resolves when none is left. */
  async lose(): Promise<void> {
    this.#lost.abort()
    await Promise.allSettled(this.#running)
  }

  /** Begins nothing more and waits for the attempts under way; what is left at the deadline is broken off. */
  async end(deadlineMs: number): Promise<void> {
    this.#ending.abort()
    const timer = setTimeout(() => this.#lost.abort(), deadlineMs)
    await Promise.allSettled(this.#running)
    clearTimeout(timer)
  }

  #add(record: ReadRecord): void {
    this.#prefix.add(record.offset)
    // Latin-1 keeps every byte apart from every other, which UTF-8 decoding does not.
    this.#lanes.add(record.key?.toString('latin1'), record.offset, record)
    this.#waitingRecords++
    this.#waitingBytes += sizeOf(record)
  }

  async #run(item: Item<ReadRecord>): Promise<void> {
    const outcome = await this.#options.deliver(item.value, {
      lost: this.#lost.signal,
      ending: this.#ending.signal,
      onBlocked: (blocked) => {
        this.#blocked += blocked ? 1 : -1
      },
    })
    this.#waitingRecords--
    this.#waitingBytes -= sizeOf(item.value)
    // Sequence that this guards: the app answers 2xx, the partition is revoked in the same turn, the record is now another's.
    if (this.#lost.signal.aborted || outcome !== 'acknowledged') return
    this.#lanes.done(item)
    this.#prefix.acknowledge(item.value.offset)
    this.#options.onProgress()
    this.#updateRoom()
    this.dispatch()
  }

  #updateRoom(): void {
    const wasFull = this.#full
    const part = wasFull ? 0.5 : 1
    this.#full =
      this.#waitingRecords >= MAX_WAITING_RECORDS * part || this.#waitingBytes >= MAX_WAITING_BYTES * part
    if (wasFull && !this.#full) this.#options.onRoom()
  }
}

const sizeOf = (record: ReadRecord): number => (record.key?.length ?? 0) + (record.value?.length ?? 0) + 200

function toRecord(
  options: PartitionOptions,
  batch: RecordsBatch,
  raw: RecordsBatch['records'][number],
  offset: bigint,
): ReadRecord {
  return {
    topic: options.topic,
    partition: options.partition,
    offset,
    timestamp: batch.firstTimestamp + raw.timestampDelta,
    key: raw.key,
    value: raw.value,
    headers: raw.headers.map(([name, value]) => [name?.toString('utf8') ?? '', value ?? new Uint8Array()]),
  }
}
