import { Reader } from './reader.ts'
import { AT_COUNT, BATCH_HEADER_BYTES } from './record-batch.ts'

/** A record as it lies in a batch; bytes are views of the buffer. */
export interface RecordInBatch {
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer])[]
}

const AT_BASE_TIMESTAMP = 27

/** The records of an uncompressed v2 batch in [from, to). Throws `invalid_request` where it is not what it says. */
export function readBatch(
  buffer: Buffer,
  { from, to }: { readonly from: number; readonly to: number },
): readonly RecordInBatch[] {
  const base = Number(buffer.readBigInt64BE(from + AT_BASE_TIMESTAMP))
  const count = buffer.readInt32BE(from + AT_COUNT)
  const reader = new Reader(buffer, from + BATCH_HEADER_BYTES, to)
  const records: RecordInBatch[] = []
  for (let left = count; left > 0; left--) records.push(readRecord(reader, base))
  return records
}

function readRecord(reader: Reader, base: number): RecordInBatch {
  reader.varint()
  reader.int8()
  const timestampMs = base + Number(reader.varlong())
  reader.varint()
  const key = sized(reader)
  const value = sized(reader)
  const headers: (readonly [string, Buffer])[] = []
  for (let left = reader.varint(); left > 0; left--)
    headers.push([String(sized(reader) ?? ''), sized(reader) ?? EMPTY])
  return { timestampMs, key, value, headers }
}

const EMPTY = Buffer.alloc(0)

function sized(reader: Reader): Buffer | null {
  const length = reader.varint()
  if (length === -1) return null
  const at = reader.skip(length)
  return reader.buffer.subarray(at, at + length)
}
