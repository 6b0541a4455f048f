import type { MeshError } from '@weft/schemas/error'
import type { PendingRecord } from './record.ts'

/** The records of a partition that have not left yet, in order. */
export class RecordQueue {
  readonly #records: PendingRecord[] = []
  #bytes = 0
  /** Records that leave one by one, because a batch with one of them was refused. */
  #alone = 0

  get isEmpty(): boolean {
    return this.#records.length === 0
  }

  get bytes(): number {
    return this.#bytes
  }

  add(pending: PendingRecord): void {
    this.#records.push(pending)
    this.#bytes += pending.bytes
  }

  /** Records that had left come back to their place before all others; of these the first `alone` leave one by one. */
  giveBack(records: readonly PendingRecord[], alone: number): void {
    this.#records.unshift(...records)
    for (const { bytes } of records) this.#bytes += bytes
    if (alone > 0) this.#alone = alone
  }

  /** The records of the next batch: as many as fit, one at least. */
  take(maxBytes: number): readonly PendingRecord[] {
    let bytes = 0
    let count = 0
    for (; count < this.#records.length; count++) {
      const more = (this.#records[count] as PendingRecord).bytes
      if (count > 0 && (bytes + more > maxBytes || this.#alone > 0)) break
      bytes += more
    }
    if (this.#alone > 0) this.#alone--
    this.#bytes -= bytes
    return this.#records.splice(0, count)
  }

  /** Fails those whose time is up. */
  expire(now: number, error: () => MeshError): void {
    if (!this.#records.some((pending) => now >= pending.deadlineAt)) return
    const late: PendingRecord[] = []
    const left: PendingRecord[] = []
    for (const pending of this.#records) (now >= pending.deadlineAt ? late : left).push(pending)
    this.#records.splice(0, this.#records.length, ...left)
    for (const { bytes } of late) this.#bytes -= bytes
    // Whoever is told may fail the rest.
    for (const pending of late) pending.failed(error())
  }

  fail(error: MeshError): void {
    for (const pending of this.#records.splice(0)) pending.failed(error)
    this.#bytes = 0
  }
}
