/** Changes inside a v2 batch: bytes in place, and a header more for records that lack it. */
import { crc32c, crc32cAfterChange } from './crc32c.ts'
import { AT_CRC, AT_CRC_START, AT_LENGTH, BATCH_HEADER_BYTES, type Batch } from './record-batch.ts'
import { type RecordPlace, visitRecords } from './records.ts'
import { putUnsignedVarint, unsignedVarintSize, zigzag } from './writer.ts'

/** Length, attributes, time, offset, key, value, header count: one byte each. A count that cannot be must not be allocated for. */
const LEAST_RECORD_BYTES = 7

type Extent = Pick<Batch, 'from' | 'to'>

/** Overwrites bytes of a batch in place and corrects its checksum by the difference. */
export function patchBatch(buffer: Buffer, batch: Extent, at: number, after: Uint8Array): void {
  const crc = crc32cAfterChange(buffer.readUInt32BE(batch.from + AT_CRC), {
    before: buffer.subarray(at, at + after.length),
    after,
    bytesBehind: batch.to - at - after.length,
  })
  buffer.set(after, at)
  buffer.writeUInt32BE(crc, batch.from + AT_CRC)
}

export interface HeaderAddition {
  /** Bytes of key and value with their lengths, at most 127 each: what `writeHeader` will write. */
  readonly key: Buffer
  readonly valueBytes: number
  /** Writes the value of the record's new header at a place in the new batch. */
  readonly writeValue: (target: Buffer, at: number, record: RecordPlace) => void
  /** Gives memory of at least so many bytes for the new batch. */
  readonly allocate: (bytes: number) => Buffer
}

/**
 * The batch with a header added to each record that has none of this name: lengths, counts and checksum made right,
 * everything else as it was. Undefined where the batch is not what it says. The caller has checked that it is intact.
 */
export function addHeader(buffer: Buffer, batch: Batch, addition: HeaderAddition): Buffer | undefined {
  const start = headerStart(addition)
  const headerBytes = start.length + addition.valueBytes
  if (batch.count > (batch.to - batch.from) / LEAST_RECORD_BYTES) return undefined
  // A length and a count may each take more bytes than before, by one: the additions are far below a kilobyte.
  const target = addition.allocate(batch.to - batch.from + batch.count * (headerBytes + 2))
  buffer.copy(target, 0, batch.from, batch.from + BATCH_HEADER_BYTES)
  let at = BATCH_HEADER_BYTES

  const whole = visitRecords(buffer, batch, addition.key, (record) => {
    const bytes = record.to - record.from
    if (record.valueAt !== -1) {
      at = putUnsignedVarint(target, at, zigzag(bytes))
      buffer.copy(target, at, record.from, record.to)
      at += bytes
      return
    }
    const countBytes = record.headersAt - record.headerCountAt
    const newCount = zigzag(record.headerCount + 1)
    at = putUnsignedVarint(
      target,
      at,
      zigzag(bytes - countBytes + unsignedVarintSize(newCount) + headerBytes),
    )
    buffer.copy(target, at, record.from, record.headerCountAt)
    at = putUnsignedVarint(target, at + record.headerCountAt - record.from, newCount)
    if (record.headersAt < record.to) buffer.copy(target, at, record.headersAt, record.to)
    at += record.to - record.headersAt
    for (let index = 0; index < start.length; index++) target[at++] = start[index] as number
    addition.writeValue(target, at, record)
    at += addition.valueBytes
  })
  if (!whole) return undefined

  target.writeInt32BE(at - AT_LENGTH - 4, AT_LENGTH)
  target.writeUInt32BE(crc32c(target, AT_CRC_START, at), AT_CRC)
  return target.subarray(0, at)
}

/** Key with its length, and the length of the value. */
function headerStart({ key, valueBytes }: HeaderAddition): Buffer {
  const sizes = [zigzag(key.length), zigzag(valueBytes)] as const
  const start = Buffer.allocUnsafe(key.length + unsignedVarintSize(sizes[0]) + unsignedVarintSize(sizes[1]))
  const keyAt = putUnsignedVarint(start, 0, sizes[0])
  key.copy(start, keyAt)
  putUnsignedVarint(start, keyAt + key.length, sizes[1])
  return start
}
