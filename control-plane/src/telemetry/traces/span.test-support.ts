import { newSpanId, newTraceId } from '@weft/schemas/trace-context'
import type { Span } from '../otlp/draft.ts'

/** A span of one nanosecond, with what a test says about it. */
export function span(parts: Partial<Span>): Span {
  return {
    traceId: newTraceId(),
    spanId: newSpanId(),
    name: 'span',
    kind: 'internal',
    service: 'order-service',
    startTimeUnixNano: 0n,
    endTimeUnixNano: 1n,
    status: 'unset',
    attributes: {},
    events: [],
    links: [],
    ...parts,
  }
}
