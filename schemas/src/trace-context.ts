/** W3C Trace Context, level 1 (`traceparent`), as text; no SDK, so that a request that is not sampled costs nothing more. */

export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hexadecimal digits, not all zero: the span that the next one is a child of. */
  readonly spanId: string
  readonly sampled: boolean
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const ZERO_TRACE = '0'.repeat(32)
const ZERO_SPAN = '0'.repeat(16)

/** Section 3.2: undefined for what a receiver must ignore (bad form, version ff, zero ids, trailing data in version 00). */
export function parseTraceparent(value: string | undefined): TraceContext | undefined {
  if (value === undefined) return undefined
  const match = TRACEPARENT.exec(value)
  if (match === null) return undefined
  const [, version, traceId = '', spanId = '', flags = '00', rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  if (traceId === ZERO_TRACE || spanId === ZERO_SPAN) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** A whole version-00 context that says not to record: what a hop that records nothing hands on as it came. Cheaper than reading it. */
export const isUnsampled = (value: string): boolean => UNSAMPLED.test(value)

const UNSAMPLED = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/

/** Always 55 characters, version 00: a later hop can overwrite the span id in place. */
export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`
}

/**
 * Contexts are made many at a time, as one text that is handed out in slices: asking for random bytes costs microseconds, for 24
 * as for 4096, and so does making text of them one by one.
 *
 *     00-‹32 digits›-‹16 digits›-00 00-‹32 digits›-‹16 digits›-00 …
 */
export const TRACEPARENT_BYTES = 55
const TRACE_ID_AT = 3
const SPAN_ID_AT = 36
const BATCH = 128
const TRACE_ID_BYTES = 16
const ID_BYTES = 24
const random = new Uint8Array(BATCH * ID_BYTES)
const ascii = new TextEncoder().encode(`00-${ZERO_TRACE}-${ZERO_SPAN}-00`.repeat(BATCH))
const DECODER = new TextDecoder('latin1')
const DIGITS = new TextEncoder().encode('0123456789abcdef')
let batch = ''
let used = BATCH

function refill(): void {
  crypto.getRandomValues(random)
  for (let made = 0; made < BATCH; made++) {
    const text = made * TRACEPARENT_BYTES
    writeId(made * ID_BYTES, TRACE_ID_BYTES, text + TRACE_ID_AT)
    writeId(made * ID_BYTES + TRACE_ID_BYTES, ID_BYTES - TRACE_ID_BYTES, text + SPAN_ID_AT)
  }
  batch = DECODER.decode(ascii)
  used = 0
}

/** Section 3.2.2.3: ids are random, and not all zero; so the first byte is none. */
function writeId(from: number, bytes: number, at: number): void {
  random[from] ||= 1
  for (let index = 0; index < bytes; index++) {
    const byte = random[from + index] as number
    ascii[at + 2 * index] = DIGITS[byte >> 4] as number
    ascii[at + 2 * index + 1] = DIGITS[byte & 15] as number
  }
}

/** The context of a new trace that is not recorded, as text. */
export function newUnsampled(): string {
  if (used === BATCH) refill()
  const at = used++ * TRACEPARENT_BYTES
  return batch.slice(at, at + TRACEPARENT_BYTES)
}

/** The same as bytes, TRACEPARENT_BYTES of them, at a place in `target`. */
export function writeUnsampled(target: Uint8Array, at: number): void {
  if (used === BATCH) refill()
  const from = used++ * TRACEPARENT_BYTES
  for (let index = 0; index < TRACEPARENT_BYTES; index++) target[at + index] = ascii[from + index] as number
}

export const newTraceId = (): string => newUnsampled().slice(TRACE_ID_AT, TRACE_ID_AT + 2 * TRACE_ID_BYTES)
export const newSpanId = (): string => newUnsampled().slice(SPAN_ID_AT, SPAN_ID_AT + 16)
