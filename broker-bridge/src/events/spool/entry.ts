/** An entry of the spool is a record batch of one record: it has its own length and checksum, and key, headers and time as they are. */
import { readBatch } from '../../wire/read-batch.ts'
import { batches, isIntact } from '../../wire/record-batch.ts'
import { writeBatch } from '../../wire/write-batch.ts'
import type { OutgoingRecord } from '../produce/record.ts'

const NO_PRODUCER = { producerId: -1n, producerEpoch: -1 }
const NO_PARTITION = -1
/** The sequence's place in the header; the partition that was asked for stands there. */
const AT_BASE_SEQUENCE = 53

export function toEntry(record: OutgoingRecord): Buffer {
  const baseSequence = record.partition ?? NO_PARTITION
  return writeBatch([record], { ...NO_PRODUCER, baseSequence, nowMs: Date.now() })
}

/** -1 where the entry is cut off or damaged. */
export function entryEnd(buffer: Buffer, at: number): number {
  const next = batches(buffer, at, buffer.length).next()
  if (next.done === true || next.value.from !== at || !isIntact(buffer, next.value)) return -1
  return next.value.to
}

/** The record of an intact entry. */
export function fromEntry(entry: Buffer): OutgoingRecord {
  const partition = entry.readInt32BE(AT_BASE_SEQUENCE)
  const [record] = readBatch(entry, { from: 0, to: entry.length })
  const { key = null, value = null, headers = [], timestampMs = 0 } = record ?? {}
  return {
    ...(key !== null && { key }),
    value,
    headers,
    timestampMs,
    ...(partition !== NO_PARTITION && { partition }),
  }
}
