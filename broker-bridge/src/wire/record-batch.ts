/**
 * Record batches, format v2 (magic 2). Offsets of the header:
 *
 *      0 base offset int64      12 leader epoch int32   23 last offset delta int32   51 producer epoch int16
 *      8 length int32 (what     16 magic int8           27 base timestamp int64      53 base sequence int32
 *        follows this field)    17 CRC-32C, of all      35 max timestamp int64       57 record count int32
 *                                  from 21 on           43 producer id int64         61 records
 *                               21 attributes int16
 *
 * Formats v0 and v1 share the first two fields and the place of the magic byte; they are passed on unread.
 */
import { crc32c } from './crc32c.ts'

export const BATCH_HEADER_BYTES = 61
export const AT_LENGTH = 8
export const AT_CRC = 17
export const AT_CRC_START = 21
export const AT_MAGIC = 16
export const AT_LAST_OFFSET_DELTA = 23
export const AT_PRODUCER_ID = 43
export const AT_COUNT = 57
/** The lower byte of the attributes. */
export const AT_COMPRESSION = 22
export const COMPRESSION_BITS = 0x07
export const TRANSACTIONAL_BIT = 0x10
const CONTROL_BIT = 0x20

export interface Batch {
  readonly from: number
  readonly to: number
  readonly baseOffset: number
  readonly count: number
  readonly isCompressed: boolean
  readonly isControl: boolean
  /** Undefined outside of transactions. */
  readonly transactionalProducer: bigint | undefined
}

/** End of the whole batch (or message of an old format) at `at`, -1 where it is cut off or its length is no length. */
function batchEnd(buffer: Buffer, at: number, to: number): number {
  if (to - at < AT_MAGIC + 1) return -1
  const end = at + AT_LENGTH + 4 + buffer.readInt32BE(at + AT_LENGTH)
  // Always forward: a length that is too small would be walked for ever.
  return end > to || end <= at + AT_MAGIC ? -1 : end
}

const isVersion2 = (buffer: Buffer, at: number, end: number): boolean =>
  buffer[at + AT_MAGIC] === 2 && end - at >= BATCH_HEADER_BYTES

/** Records in the whole v2 batches of a partition, by their headers. Old formats count as none. Never throws. */
export function countRecords(buffer: Buffer, from: number, to: number): number {
  let records = 0
  for (let at = from, end = batchEnd(buffer, at, to); end !== -1; at = end, end = batchEnd(buffer, at, to))
    if (isVersion2(buffer, at, end)) records += Math.max(0, buffer.readInt32BE(at + AT_COUNT))
  return records
}

/** The same, and the offset that follows them; undefined where there is none. Never throws. */
export function countFetched(
  buffer: Buffer,
  from: number,
  to: number,
): { readonly records: number; readonly nextOffset: number | undefined } {
  let records = 0
  let last = -1
  for (let at = from, end = batchEnd(buffer, at, to); end !== -1; at = end, end = batchEnd(buffer, at, to)) {
    if (!isVersion2(buffer, at, end)) continue
    records += Math.max(0, buffer.readInt32BE(at + AT_COUNT))
    last = at
  }
  const nextOffset =
    last === -1
      ? undefined
      : Number(buffer.readBigInt64BE(last)) + buffer.readInt32BE(last + AT_LAST_OFFSET_DELTA) + 1
  return { records, nextOffset }
}

/** Is one of the whole v2 batches of a transaction? Never throws. */
export function hasTransactional(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from, end = batchEnd(buffer, at, to); end !== -1; at = end, end = batchEnd(buffer, at, to)) {
    const attributes = isVersion2(buffer, at, end) ? buffer.readInt16BE(at + AT_CRC_START) : 0
    if ((attributes & TRANSACTIONAL_BIT) !== 0) return true
  }
  return false
}

/** The whole v2 batches between two places. A fetch may end in a part of one: clients ask again for that. Never throws. */
export function* batches(buffer: Buffer, from: number, to: number): Generator<Batch> {
  for (let at = from, end = batchEnd(buffer, at, to); end !== -1; at = end, end = batchEnd(buffer, at, to)) {
    if (!isVersion2(buffer, at, end)) continue
    const attributes = buffer.readInt16BE(at + AT_CRC_START)
    yield {
      from: at,
      to: end,
      baseOffset: Number(buffer.readBigInt64BE(at)),
      count: buffer.readInt32BE(at + AT_COUNT),
      isCompressed: (attributes & COMPRESSION_BITS) !== 0,
      isControl: (attributes & CONTROL_BIT) !== 0,
      transactionalProducer:
        attributes & TRANSACTIONAL_BIT ? buffer.readBigInt64BE(at + AT_PRODUCER_ID) : undefined,
    }
  }
}

/** Of the batch that begins there. */
export const checksumOf = (buffer: Buffer, from = 0): number => buffer.readUInt32BE(from + AT_CRC)

/** Does the batch's checksum hold? */
export const isIntact = (buffer: Buffer, batch: Pick<Batch, 'from' | 'to'>): boolean =>
  crc32c(buffer, batch.from + AT_CRC_START, batch.to) === checksumOf(buffer, batch.from)
