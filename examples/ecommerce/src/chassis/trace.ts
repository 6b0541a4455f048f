/**
 * Trace context, the part of it that an app in a mesh does: pass on what came. The sidecars make the spans;
 * they can only join them into one trace if the app copies these headers from what it received to what it sends.
 */

/** W3C Trace Context and W3C Baggage. */
const PROPAGATED = ['traceparent', 'tracestate', 'baggage'] as const

export type TraceHeaders = Readonly<Partial<Record<(typeof PROPAGATED)[number], string>>>

/** Of the headers of an HTTP request or of a Kafka record, those that go with everything it causes. */
export function traceHeaders(headers: Readonly<Record<string, unknown>>): TraceHeaders {
  const kept: Partial<Record<(typeof PROPAGATED)[number], string>> = {}
  for (const name of PROPAGATED) {
    const value = headers[name]
    // Kafka hands out bytes, node:http texts; nobody sends one of these twice.
    if (typeof value === 'string' || Buffer.isBuffer(value)) kept[name] = value.toString()
  }
  return kept
}

/** The trace that the headers belong to: 32 hexadecimal digits, or undefined outside of a mesh. */
export function traceIdOf(headers: TraceHeaders): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(headers.traceparent ?? '')?.[1]
}
