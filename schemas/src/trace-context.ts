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

/** Always 55 characters, version 00: a later hop can overwrite the span id in place. */
export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`
}

/** Asking for random bytes costs the same for 8 as for 4096, some microseconds: they are drawn many ids at a time. */
const random = new Uint8Array(4096)
let used = random.length
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Section 3.2.2.3: ids are random, and not all zero. `length` is in hexadecimal digits, an even number. */
function randomHex(length: number): string {
  if (used + length / 2 > random.length) {
    crypto.getRandomValues(random)
    used = 0
  }
  let text = ''
  for (const end = used + length / 2; used < end; used++) text += HEX[random[used] as number]
  return text === ZERO_TRACE || text === ZERO_SPAN ? randomHex(length) : text
}

export const newTraceId = (): string => randomHex(32)
export const newSpanId = (): string => randomHex(16)
