import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { kafkaClient } from '../events/kafka-client.ts'
import { AT_CRC_START, BATCH_HEADER_BYTES, type Batch } from '../wire/record-batch.ts'

/** What a batch of a mebibyte may become: packed zeros grow a thousandfold. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024
const COMPRESSION_BITS = 0x07

/** The records of a compressed batch. Throws where they cannot be had: not of the format that the batch names, or too many bytes. */
export function unpack(frame: Buffer, { from, to }: Pick<Batch, 'from' | 'to'>): Buffer {
  const records = frame.subarray(from + BATCH_HEADER_BYTES, to)
  const limit = { maxOutputLength: MAX_UNPACKED_BYTES }
  switch (frame.readInt16BE(from + AT_CRC_START) & COMPRESSION_BITS) {
    case 1:
      return gunzipSync(records, limit)
    case 2:
      return kafkaClient().compressionsAlgorithms.snappy.decompressSync(records)
    case 3:
      return kafkaClient().compressionsAlgorithms.lz4.decompressSync(records)
    case 4:
      return zstdDecompressSync(records, limit)
    default:
      throw new Error('expected gzip, snappy, lz4 or zstd')
  }
}
