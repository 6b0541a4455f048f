/** `traceparent` inside of records: found, read and written as bytes. */
import { parseTraceparent, TRACEPARENT_BYTES, type TraceContext } from '@weft/schemas/trace-context'
import type { RecordPlace } from '../wire/records.ts'

export const TRACEPARENT = Buffer.from('traceparent')
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
