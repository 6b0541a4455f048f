/** `traceparent` inside of records: found, read and written as bytes. */
import { randomFillSync } from 'node:crypto'
import { parseTraceparent, type TraceContext } from '@weft/schemas/trace-context'
import type { RecordPlace } from '../wire/records.ts'

export const TRACEPARENT = Buffer.from('traceparent')
/** `00-` 32 digits `-` 16 digits `-` two digits. */
export const TRACEPARENT_BYTES = 55
const AT_TRACE_ID = 3
const AT_SPAN_ID = 36
const AT_FLAGS = 53
const DIGIT_0 = 0x30

/** The context of a record that is sampled; undefined where it is not, or has none that is valid. Cheap where not. */
export function sampledContext(
  buffer: Buffer,
  { valueAt, valueBytes }: RecordPlace,
): TraceContext | undefined {
  if (valueAt === -1 || valueBytes !== TRACEPARENT_BYTES) return undefined
  if (buffer[valueAt + AT_FLAGS + 1] === DIGIT_0) return undefined
  const context = parseTraceparent(buffer.toString('latin1', valueAt, valueAt + TRACEPARENT_BYTES))
  return context?.sampled === true ? context : undefined
}

/** Where the span id stands in a value. */
export const spanIdAt = (valueAt: number): number => valueAt + AT_SPAN_ID

const DIGITS = Buffer.from('0123456789abcdef')
const ID_BYTES = 16 + 8
/** Randomness is fetched for this many contexts at a time: one by one it costs a microsecond each. */
const POOLED_IDS = 256
const pool = Buffer.alloc(ID_BYTES * POOLED_IDS)
let poolAt = pool.length

/** Writes the context of a new trace that is not sampled. */
export function writeUnsampled(target: Buffer, at: number): void {
  if (poolAt === pool.length) {
    randomFillSync(pool)
    poolAt = 0
  }
  target.write('00-', at, 'latin1')
  writeHex(target, at + AT_TRACE_ID, 16)
  target.write('-', at + AT_SPAN_ID - 1, 'latin1')
  writeHex(target, at + AT_SPAN_ID, 8)
  target.write('-00', at + AT_FLAGS - 1, 'latin1')
}

/** The last bit is always set: an id is never all zero. */
function writeHex(target: Buffer, at: number, bytes: number): void {
  for (let i = 0; i < bytes; i++) {
    const byte = (pool[poolAt++] ?? 0) | (i === bytes - 1 ? 1 : 0)
    target[at + 2 * i] = DIGITS[byte >> 4] ?? DIGIT_0
    target[at + 2 * i + 1] = DIGITS[byte & 0x0f] ?? DIGIT_0
  }
}
