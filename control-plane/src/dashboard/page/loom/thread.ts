/** A trace as one thread through the loom. Pure. */
import type { SpanJson, TraceJson } from '../../../telemetry/types.ts'
import { keyOf } from './fact-types.ts'
import type { Layout } from './layout.ts'

/** The calls and knots that a trace went through, by their keys. */
export function threadOf(trace: TraceJson): ReadonlySet<string> {
  const byId = new Map(trace.spans.map((span) => [span.spanId, span]))
  const keys = new Set<string>()
  for (const span of trace.spans) {
    if (span.kind === 'producer' && span.topic !== undefined)
      keys.add(keyOf('produce', span.service, span.topic))
    if (span.kind === 'consumer' && span.topic !== undefined)
      keys.add(keyOf('consume', span.service, span.topic))
    if (span.kind === 'server') keys.add(keyOf('http', callerOf(span, byId), span.service))
  }
  return keys
}

/** The next span above that is another service's; a server span that nobody of ours called came in at the ingress. */
function callerOf(span: SpanJson, byId: ReadonlyMap<string, SpanJson>): string {
  const peer = span.peer?.match(/^spiffe:\/\/[^/]+\/ns\/[^/]+\/sa\/([^/]+)$/)?.[1]
  if (peer !== undefined) return peer
  const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId)
  return parent === undefined || parent.service === span.service ? 'ingress' : parent.service
}

/** The lines between the knots of a thread: down from the writer, along the topic, up to the reader. */
export function threadPath(layout: Layout, keys: ReadonlySet<string>): string {
  const lit = layout.knots.filter((knot) => keys.has(knot.key))
  const centre = new Map(layout.columns.map((column) => [column.name, column.centre]))
  const drops = lit.map(
    (knot) => `M${centre.get(knot.service) ?? knot.x},${layout.top} V${knot.y} H${knot.x}`,
  )
  const along = [...Map.groupBy(lit, (knot) => knot.topic).values()].map((knots) => {
    const xs = knots.map((knot) => knot.x)
    return `M${Math.min(...xs)},${knots[0]?.y ?? 0} H${Math.max(...xs)}`
  })
  return [...drops, ...along].join(' ')
}
