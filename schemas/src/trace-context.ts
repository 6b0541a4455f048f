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
 * Random digits are drawn in thousands and handed out as slices of one text: asking for random bytes costs microseconds, for 8
 * as for 4096, and so does making text of them one by one.
 */
const POOL_BYTES = 4096
const random = new Uint8Array(POOL_BYTES)
const digits = new Uint8Array(2 * POOL_BYTES)
const ASCII = new TextDecoder('latin1')
let pool = ''
let used = 0

function refill(): void {
  crypto.getRandomValues(random)
  for (let at = 0; at < POOL_BYTES; at++) {
    const byte = random[at] as number
    digits[2 * at] = DIGITS.charCodeAt(byte >> 4)
    digits[2 * at + 1] = DIGITS.charCodeAt(byte & 15)
  }
  pool = ASCII.decode(digits)
  used = 0
}

const DIGITS = '0123456789abcdef'

/** Section 3.2.2.3: ids are random, and not all zero. `length` is in hexadecimal digits. */
function randomHex(length: number): string {
  if (used + length > pool.length) refill()
  used += length
  const text = pool.slice(used - length, used)
  return text === ZERO_TRACE || text === ZERO_SPAN ? randomHex(length) : text
}

export const newTraceId = (): string => randomHex(32)
export const newSpanId = (): string => randomHex(16)
