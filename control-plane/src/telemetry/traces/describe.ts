/** A stored trace as the API shows it. Pure. */
import type { Span } from '../otlp/draft.ts'
import type { SpanJson, TraceJson, TraceSummary } from '../types.ts'
import { toMs, topicOf } from './fields.ts'
import type { StoredTrace } from './store.ts'
import { waitsOf } from './waits.ts'

/** What a list shows of a trace; cheap enough to be made for each batch of spans. */
export function summarise(trace: StoredTrace): TraceSummary {
  const spans = inOrder(trace)
  const [earliest] = spans
  const root = spans.find((span) => span.parentSpanId === undefined) ?? earliest
  const start = earliest?.startTimeUnixNano ?? 0n
  const end = spans.reduce(
    (latest, span) => (span.endTimeUnixNano > latest ? span.endTimeUnixNano : latest),
    start,
  )
  const target = root === undefined ? undefined : targetOf(root)
  return {
    traceId: trace.traceId,
    rootName: root?.name ?? '',
    ...(target !== undefined && { rootTarget: target }),
    startTimeUnixMs: Number(start / 1_000_000n),
    durationMs: toMs(end - start),
    services: distinct(spans.map((span) => span.service)),
    topics: distinct(spans.map(topicOf)),
    status: spans.some((span) => span.status === 'error') ? 'error' : 'ok',
    spanCount: spans.length,
    ...(trace.droppedSpans > 0 && { droppedSpans: trace.droppedSpans }),
  }
}

export function describeTrace(trace: StoredTrace): TraceJson {
  const spans = inOrder(trace)
  return {
    ...summarise(trace),
    spans: spans.map((span) => describeSpan(span, trace.spans)),
    waits: waitsOf(spans, trace.spans),
  }
}

function describeSpan(span: Span, all: ReadonlyMap<string, Span>): SpanJson {
  const topic = topicOf(span)
  const peer = span.attributes['weft.peer'] ?? span.attributes['server.address']
  const { parentSpanId } = span
  return {
    spanId: span.spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    ...(parentSpanId !== undefined && !all.has(parentSpanId) && { parentMissing: true }),
    name: span.name,
    kind: span.kind,
    service: span.service,
    ...(typeof peer === 'string' && { peer }),
    ...(topic !== undefined && { topic }),
    startTimeUnixNano: String(span.startTimeUnixNano),
    durationMs: toMs(span.endTimeUnixNano - span.startTimeUnixNano),
    status: span.status,
    ...(span.statusMessage !== undefined && { statusMessage: span.statusMessage }),
    attributes: span.attributes,
    events: span.events.map((event) => ({ ...event, timeUnixNano: String(event.timeUnixNano) })),
  }
}

/** By start. Where two start at once the longer one is first: a parent ends after its child. */
function inOrder(trace: StoredTrace): readonly Span[] {
  return [...trace.spans.values()].sort(
    (a, b) =>
      compare(a.startTimeUnixNano, b.startTimeUnixNano) || compare(b.endTimeUnixNano, a.endTimeUnixNano),
  )
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

const distinct = (values: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
]

function targetOf(span: Span): string | undefined {
  const method = span.attributes['http.request.method']
  const path = span.attributes['url.path']
  return typeof method === 'string' && typeof path === 'string' ? `${method} ${path}` : undefined
}
