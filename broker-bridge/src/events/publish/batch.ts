/** A batch of one topic: which partition each record goes to, and what the broker's answer says of each. */
import { murmur2 } from '@platformatic/kafka'
import type { OutgoingRecord, StoredAt } from './record.ts'

/** A record of a batch and whom to tell of it. */
export interface Placed {
  readonly record: OutgoingRecord
  readonly partition: number
  readonly onStored: (at: StoredAt) => void
}

/** As the Java client does, so that all producers of a topic agree; `keyless` is the partition of records without a key. */
export function partitionOf(record: OutgoingRecord, partitions: number, keyless: number): number {
  return (record.key === undefined ? keyless : murmur2(asBuffer(record.key)) & 0x7fffffff) % partitions
}

/** The broker answers the first offset of each partition; the others follow in the order in which they were sent. */
export function tellStored(batch: readonly Placed[], bases: ReadonlyMap<number, bigint>): void {
  const next = new Map(bases)
  for (const { partition, onStored } of batch) {
    const offset = next.get(partition)
    if (offset === undefined) continue
    next.set(partition, offset + 1n)
    onStored({ partition, offset })
  }
}

/** The record in the client's form. */
export function toMessage(topic: string, { record, partition }: Placed) {
  const headers = new Map<Buffer, Buffer>()
  for (const [name, value] of record.headers) headers.set(Buffer.from(name), asBuffer(value))
  return {
    topic,
    partition,
    ...(record.key !== undefined && { key: asBuffer(record.key) }),
    ...(record.value !== null && { value: asBuffer(record.value) }),
    headers,
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
