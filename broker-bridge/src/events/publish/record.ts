import type { HeaderField } from '@weft/schemas/cloudevents'

/** A record on its way to the broker. */
export interface OutgoingRecord {
  readonly key?: Uint8Array
  /** null is a tombstone. */
  readonly value: Uint8Array | null
  readonly headers: readonly HeaderField[]
}

/** Where the broker has put it. */
export interface StoredAt {
  readonly partition: number
  readonly offset: bigint
}

/** Attributes, deltas and lengths of one record in a batch: eight varints, none longer than five bytes in practice. */
const RECORD_OVERHEAD = 40

/** Bytes that the record takes in a batch, at most. */
export function recordBytes(record: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const [name, value] of record.headers) bytes += Buffer.byteLength(name) + value.length + 10
  return bytes
}
