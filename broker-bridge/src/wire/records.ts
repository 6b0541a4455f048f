/**
 * Walks the records of an uncompressed v2 batch without decoding keys and values:
 *
 *     length varint · attributes int8 · timestamp delta varlong · offset delta varint ·
 *     key, value: varint length (-1 null) and bytes · header count varint · headers: key and value, each with its length
 */

import { malformed, Reader } from './reader.ts'
import { BATCH_HEADER_BYTES, type Batch } from './record-batch.ts'

/** Where a record's parts lie. One object serves all records of a batch: read it before moving on. */
export interface RecordPlace {
  /** After the length field. */
  from: number
  to: number
  offsetDelta: number
  headerCountAt: number
  headerCount: number
  headersAt: number
  /** Value of the header that was looked for, the last one of that name; -1 where there is none. */
  valueAt: number
  valueBytes: number
}

/**
 * Calls `visit` for each record; `key` names the header to look for. False where the batch is not what it says
 * (then some records may have been visited): such a batch is left to the broker and the client to judge.
 */
export function visitRecords(
  buffer: Buffer,
  batch: Pick<Batch, 'from' | 'to' | 'count'>,
  key: Buffer,
  visit: (record: RecordPlace) => void,
): boolean {
  const reader = new Reader(buffer, batch.from + BATCH_HEADER_BYTES, batch.to)
  const record: RecordPlace = {
    from: 0,
    to: 0,
    offsetDelta: 0,
    headerCountAt: 0,
    headerCount: 0,
    headersAt: 0,
    valueAt: -1,
    valueBytes: 0,
  }
  try {
    for (let left = batch.count; left > 0; left--) {
      readRecord(reader, key, record)
      visit(record)
    }
    return reader.at === batch.to
  } catch {
    return false
  }
}

function readRecord(reader: Reader, key: Buffer, record: RecordPlace): void {
  const length = reader.varint()
  record.from = reader.skip(length)
  record.to = record.from + length
  reader.at = record.from + 1
  skipVarlong(reader)
  record.offsetDelta = reader.varint()
  reader.skip(Math.max(0, reader.varint()))
  reader.skip(Math.max(0, reader.varint()))
  record.headerCountAt = reader.at
  record.headerCount = reader.varint()
  record.headersAt = reader.at
  record.valueAt = -1
  for (let left = record.headerCount; left > 0; left--) readHeader(reader, key, record)
  if (reader.at !== record.to) throw malformed('the end of the record')
}

function readHeader(reader: Reader, key: Buffer, record: RecordPlace): void {
  const keyLength = reader.varint()
  const keyAt = reader.skip(keyLength)
  const valueLength = Math.max(0, reader.varint())
  const valueAt = reader.skip(valueLength)
  if (keyLength !== key.length || reader.buffer.compare(key, 0, key.length, keyAt, keyAt + keyLength) !== 0)
    return
  record.valueAt = valueAt
  record.valueBytes = valueLength
}

function skipVarlong(reader: Reader): void {
  for (let read = 0; read < 10; read++) if ((reader.buffer[reader.skip(1)] ?? 0) < 0x80) return
  throw malformed('a varint of 64 bits')
}
