import type { MeshError } from '@weft/schemas/error'
import { byteLength, type RecordToWrite } from '../../wire/write-batch.ts'

/** A record on its way to the broker. */
export interface OutgoingRecord extends RecordToWrite {
  /** Absent: the key decides, or the producer where there is none. */
  readonly partition?: number
}

/** Where the broker has put it. */
export interface StoredAt {
  readonly partition: number
  readonly offset: bigint
}

/** Told exactly once what became of a record. */
export interface RecordSink {
  onStored(partition: number, offset: bigint): void
  onFailed(error: MeshError): void
}

/** A record that waits for its acknowledgement. */
export class PendingRecord {
  readonly record: OutgoingRecord
  /** What it takes in a batch, at most. */
  readonly bytes: number
  /** `performance.now()` at which its publisher is told that nothing is promised. */
  readonly deadlineAt: number
  readonly #sink: RecordSink
  #isSettled = false

  constructor(record: OutgoingRecord, deadlineAt: number, sink: RecordSink) {
    this.record = record
    this.bytes = recordBytes(record)
    this.deadlineAt = deadlineAt
    this.#sink = sink
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  stored(partition: number, offset: bigint): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#sink.onStored(partition, offset)
  }

  failed(error: MeshError): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#sink.onFailed(error)
  }
}

/** Attributes, deltas and lengths of one record in a batch: eight varints, none longer than five bytes in practice. */
const RECORD_OVERHEAD = 40

/** Bytes that the record takes in a batch, at most. */
export function recordBytes(record: OutgoingRecord): number {
  const { key, value, headers } = record
  let bytes = RECORD_OVERHEAD + (key?.length ?? 0) + (value === null ? 0 : byteLength(value))
  for (const [name, text] of headers) bytes += byteLength(name) + byteLength(text) + 10
  return bytes
}
