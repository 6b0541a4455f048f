/**
 * Writes record batches, format v2: the layout is in record-batch.ts, that of a record in records.ts. Every size is known
 * before the first byte is written, so that a batch is one buffer and one copy of each value.
 */
import type { BytesOrText, HeaderField } from '@weft/schemas/cloudevents'
import { crc32c } from './crc32c.ts'
import {
  AT_COUNT,
  AT_CRC,
  AT_CRC_START,
  AT_LAST_OFFSET_DELTA,
  AT_LENGTH,
  AT_MAGIC,
  AT_PRODUCER_ID,
  BATCH_HEADER_BYTES,
  TRANSACTIONAL_BIT,
} from './record-batch.ts'
import { putUnsignedVarint, unsignedVarintSize, zigzag } from './writer.ts'

export interface RecordToWrite {
  readonly key?: Uint8Array
  /** null is a tombstone. */
  readonly value: BytesOrText | null
  readonly headers: readonly HeaderField<BytesOrText>[]
  /** Milliseconds since 1970; absent: the time at which the batch is written. */
  readonly timestampMs?: number
}

/** How the records of a batch are packed: attribute bits and the function that does it. */
export interface Compression {
  readonly bits: number
  readonly compress: (records: Buffer) => Buffer
}

export interface BatchOptions {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly nowMs: number
  /** Absent: records lie in the batch as they are. */
  readonly compression?: Compression
  readonly isTransactional?: true
}

const NO_LEADER_EPOCH = -1
const MAGIC = 2
const AT_LEADER_EPOCH = 12
const AT_BASE_TIMESTAMP = 27
const AT_MAX_TIMESTAMP = 35
const AT_PRODUCER_EPOCH = 51
const AT_BASE_SEQUENCE = 53

/** One batch of at least one record, with its checksum. */
export function writeBatch(records: readonly RecordToWrite[], options: BatchOptions): Buffer {
  const { compression, nowMs } = options
  const base = records[0]?.timestampMs ?? nowMs
  let latest = base
  let size = 0
  const bodies: number[] = []
  for (let at = 0; at < records.length; at++) {
    const record = records[at] as RecordToWrite
    const timestamp = record.timestampMs ?? nowMs
    if (timestamp > latest) latest = timestamp
    const body = bodySize(record, timestamp - base, at)
    bodies.push(body)
    size += unsignedVarintSize(zigzag(body)) + body
  }
  const from = compression === undefined ? BATCH_HEADER_BYTES : 0
  const buffer = Buffer.allocUnsafe(from + size)
  let at = from
  for (let index = 0; index < records.length; index++) {
    const record = records[index] as RecordToWrite
    at = putUnsignedVarint(buffer, at, zigzag(bodies[index] as number))
    at = putBody(buffer, at, record, { timestamp: (record.timestampMs ?? nowMs) - base, offset: index })
  }
  const batch = compression === undefined ? buffer : withRoomForHeader(compression.compress(buffer))
  putHeader(batch, { ...options, base, latest, count: records.length })
  return batch
}

function withRoomForHeader(compressed: Buffer): Buffer {
  const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + compressed.length)
  compressed.copy(batch, BATCH_HEADER_BYTES)
  return batch
}

function putHeader(
  batch: Buffer,
  header: BatchOptions & { readonly base: number; readonly latest: number; readonly count: number },
): void {
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(batch.length - AT_LENGTH - 4, AT_LENGTH)
  batch.writeInt32BE(NO_LEADER_EPOCH, AT_LEADER_EPOCH)
  batch.writeInt8(MAGIC, AT_MAGIC)
  const attributes =
    (header.compression?.bits ?? 0) | (header.isTransactional === true ? TRANSACTIONAL_BIT : 0)
  batch.writeInt16BE(attributes, AT_CRC_START)
  batch.writeInt32BE(header.count - 1, AT_LAST_OFFSET_DELTA)
  batch.writeBigInt64BE(BigInt(header.base), AT_BASE_TIMESTAMP)
  batch.writeBigInt64BE(BigInt(header.latest), AT_MAX_TIMESTAMP)
  batch.writeBigInt64BE(header.producerId, AT_PRODUCER_ID)
  batch.writeInt16BE(header.producerEpoch, AT_PRODUCER_EPOCH)
  batch.writeInt32BE(header.baseSequence, AT_BASE_SEQUENCE)
  batch.writeInt32BE(header.count, AT_COUNT)
  batch.writeUInt32BE(crc32c(batch, AT_CRC_START), AT_CRC)
}

/** Attributes, and everything after them. */
function bodySize(record: RecordToWrite, timestampDelta: number, offsetDelta: number): number {
  const { key, value, headers } = record
  let size = 1 + varlongSize(timestampDelta) + unsignedVarintSize(zigzag(offsetDelta))
  size += sizeWithLength(key?.length ?? -1) + sizeWithLength(value === null ? -1 : byteLength(value))
  size += unsignedVarintSize(zigzag(headers.length))
  for (const [name, bytes] of headers)
    size += sizeWithLength(Buffer.byteLength(name)) + sizeWithLength(byteLength(bytes))
  return size
}

/** A lone surrogate counts as the replacement character that is written for it. */
export const byteLength = (bytes: BytesOrText): number =>
  typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length

/** Bytes of a field and of the length before it; -1 is null. */
const sizeWithLength = (length: number): number => unsignedVarintSize(zigzag(length)) + Math.max(0, length)

function putBody(
  buffer: Buffer,
  start: number,
  record: RecordToWrite,
  delta: { readonly timestamp: number; readonly offset: number },
): number {
  let at = start
  buffer[at++] = 0
  at = putVarlong(buffer, at, delta.timestamp)
  at = putUnsignedVarint(buffer, at, zigzag(delta.offset))
  at = putBytes(buffer, at, record.key ?? null)
  at = putBytes(buffer, at, record.value)
  at = putUnsignedVarint(buffer, at, zigzag(record.headers.length))
  for (const [name, bytes] of record.headers) {
    at = putBytes(buffer, at, name)
    at = putBytes(buffer, at, bytes)
  }
  return at
}

function putBytes(buffer: Buffer, start: number, bytes: BytesOrText | null): number {
  if (bytes === null) return putUnsignedVarint(buffer, start, zigzag(-1))
  const length = byteLength(bytes)
  const at = putUnsignedVarint(buffer, start, zigzag(length))
  if (typeof bytes === 'string') buffer.write(bytes, at, length, 'utf8')
  else buffer.set(bytes, at)
  return at + length
}

/** Far more than a batch spans, and zigzag of it fits 32 bits. */
const SMALL_DELTA = 2 ** 30

const varlongSize = (value: number): number => {
  if (Math.abs(value) < SMALL_DELTA) return unsignedVarintSize(zigzag(value))
  let size = 1
  for (let rest = zigzag64(value); rest >= 0x80n; rest >>= 7n) size++
  return size
}

function putVarlong(buffer: Buffer, start: number, value: number): number {
  if (Math.abs(value) < SMALL_DELTA) return putUnsignedVarint(buffer, start, zigzag(value))
  let at = start
  let rest = zigzag64(value)
  for (; rest >= 0x80n; rest >>= 7n) buffer[at++] = Number(rest & 0x7fn) | 0x80
  buffer[at++] = Number(rest)
  return at
}

const zigzag64 = (value: number): bigint => {
  const exact = BigInt(value)
  return BigInt.asUintN(64, (exact << 1n) ^ (exact >> 63n))
}
