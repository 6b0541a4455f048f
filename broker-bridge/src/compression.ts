/**
 * How the records of a batch are packed, all on this thread: a batch of a mebibyte takes milliseconds, and order needs no second thought. What
 * Node has is taken from Node: the Kafka library, which has the others, takes 60 MiB.
 */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { COMPRESSIONS } from '@weft/schemas/snapshot'
import { kafkaClient } from './kafka-client.ts'
import { crc32c } from './wire/crc32c.ts'
import {
  AT_COMPRESSION,
  AT_CRC,
  AT_CRC_START,
  AT_LENGTH,
  BATCH_HEADER_BYTES,
  type Batch,
  batches,
  COMPRESSION_BITS,
} from './wire/record-batch.ts'
import type { Compression } from './wire/write-batch.ts'

/** What a batch of a mebibyte may become: packed zeros grow a thousandfold. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024
const LIMIT = { maxOutputLength: MAX_UNPACKED_BYTES }

type Name = Exclude<(typeof COMPRESSIONS)[number], 'none'>

interface Packing extends Compression {
  readonly decompress: (records: Buffer) => Buffer
}

const library = (name: 'snappy' | 'lz4', bits: number): Packing => ({
  bits,
  compress: (records) => kafkaClient().compressionsAlgorithms[name].compressSync(records),
  decompress: (records) => kafkaClient().compressionsAlgorithms[name].decompressSync(records),
})

const PACKINGS: Readonly<Record<Name, Packing>> = {
  gzip: {
    bits: 1,
    compress: (records) => gzipSync(records),
    decompress: (records) => gunzipSync(records, LIMIT),
  },
  snappy: library('snappy', 2),
  lz4: library('lz4', 3),
  zstd: {
    bits: 4,
    compress: (records) => zstdCompressSync(records),
    decompress: (records) => zstdDecompressSync(records, LIMIT),
  },
}
const BY_BITS = Object.values(PACKINGS)

export const compressionOf = (name: Name | 'none'): Compression | undefined =>
  name === 'none' ? undefined : PACKINGS[name]

/** How this batch is packed. Throws where that is no way that is known. */
function packingOf(buffer: Buffer, { from }: Pick<Batch, 'from'>): Packing {
  const bits = buffer.readInt8(from + AT_COMPRESSION) & COMPRESSION_BITS
  const packing = BY_BITS.find((each) => each.bits === bits)
  if (packing === undefined) throw new Error('expected gzip, snappy, lz4 or zstd')
  return packing
}

/** The same batch with its records as they are. Throws where they cannot be had: not of the format that the batch names, or too many bytes. */
export function unpack(buffer: Buffer, batch: Pick<Batch, 'from' | 'to'>): Buffer {
  const records = packingOf(buffer, batch).decompress(
    buffer.subarray(batch.from + BATCH_HEADER_BYTES, batch.to),
  )
  return withRecords(buffer.subarray(batch.from, batch.from + BATCH_HEADER_BYTES), records, 0)
}

/** The same, to be walked; undefined where the records cannot be had. */
export function unpackedBatch(
  buffer: Buffer,
  packed: Pick<Batch, 'from' | 'to'>,
): { readonly bytes: Buffer; readonly batch: Batch } | undefined {
  try {
    const bytes = unpack(buffer, packed)
    const [batch] = batches(bytes, 0, bytes.length)
    return batch && { bytes, batch }
  } catch {
    return undefined
  }
}

/** A batch that was unpacked, packed as `original` is. */
export function packLike(original: Buffer, at: Pick<Batch, 'from'>, unpacked: Buffer): Buffer {
  const { bits, compress } = packingOf(original, at)
  return withRecords(
    unpacked.subarray(0, BATCH_HEADER_BYTES),
    compress(unpacked.subarray(BATCH_HEADER_BYTES)),
    bits,
  )
}

function withRecords(header: Buffer, records: Buffer, bits: number): Buffer {
  const batch = Buffer.concat([header, records])
  batch.writeInt8((batch.readInt8(AT_COMPRESSION) & ~COMPRESSION_BITS) | bits, AT_COMPRESSION)
  batch.writeInt32BE(batch.length - AT_LENGTH - 4, AT_LENGTH)
  batch.writeUInt32BE(crc32c(batch, AT_CRC_START), AT_CRC)
  return batch
}
