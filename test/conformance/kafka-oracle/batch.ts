import { crc32c } from '../../../broker-bridge/src/wire/crc32c.ts'
import { AT_CRC, AT_CRC_START, BATCH_HEADER_BYTES } from '../../../broker-bridge/src/wire/record-batch.ts'

/** Length, attributes, time, offset, no key, a value of one byte, no headers. */
const RECORD = Buffer.from('0e00000001027800', 'hex')

/** A batch of format v2 with one record. */
export function oneRecord(): Buffer {
  const batch = Buffer.alloc(BATCH_HEADER_BYTES + RECORD.length)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(-1, 12)
  batch[16] = 2
  const now = BigInt(Date.now())
  batch.writeBigInt64BE(now, 27)
  batch.writeBigInt64BE(now, 35)
  batch.writeBigInt64BE(-1n, 43) // no producer id
  batch.writeInt16BE(-1, 51)
  batch.writeInt32BE(-1, 53)
  batch.writeInt32BE(1, 57)
  RECORD.copy(batch, BATCH_HEADER_BYTES)
  batch.writeUInt32BE(crc32c(batch, AT_CRC_START, batch.length), AT_CRC)
  return batch
}
