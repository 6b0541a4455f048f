/**
 * The last traces, in memory. Bounded three ways, by traces, spans and bytes; what is over, goes by whole traces,
 * the one first seen goes first. A trace has a bound of its own, so that one endless trace cannot push out the rest.
 */
import type { Span } from '../otlp/draft.ts'

export interface StoreLimits {
  readonly maxTraces: number
  readonly maxSpansPerTrace: number
  readonly maxSpans: number
  /** Estimated, of all spans. */
  readonly maxBytes: number
}

export const DEFAULT_LIMITS: StoreLimits = {
  /** A page of a list is 50; a thousand clicks back is far more than anybody scrolls. */
  maxTraces: 1000,
  /** The example's trace has about 30; a trace with thousands cannot be read in any picture. */
  maxSpansPerTrace: 2000,
  maxSpans: 100_000,
  /** A control plane should live in a container of 256 MiB. */
  maxBytes: 64 * 1024 * 1024,
}

export interface StoredTrace {
  readonly traceId: string
  readonly spans: ReadonlyMap<string, Span>
  readonly droppedSpans: number
}

interface Entry extends StoredTrace {
  readonly spans: Map<string, Span>
  droppedSpans: number
  bytes: number
}

export interface TraceStore {
  /** Returns the ids of the traces that changed. */
  add(spans: readonly Span[]): ReadonlySet<string>
  get(traceId: string): StoredTrace | undefined
  /** The newest first. */
  list(): readonly StoredTrace[]
  readonly size: { readonly traces: number; readonly spans: number; readonly bytes: number }
}

export function createTraceStore(limits: StoreLimits): TraceStore {
  const traces = new Map<string, Entry>()
  let spanCount = 0
  let bytes = 0

  const insert = (span: Span): void => {
    let entry = traces.get(span.traceId)
    if (entry === undefined) {
      entry = { traceId: span.traceId, spans: new Map(), droppedSpans: 0, bytes: 0 }
      traces.set(span.traceId, entry)
    }
    // An exporter that saw no answer sends the batch again: the same span takes its own place.
    const before = entry.spans.get(span.spanId)
    if (before === undefined && entry.spans.size >= limits.maxSpansPerTrace) {
      entry.droppedSpans += 1
      return
    }
    const grown = sizeOf(span) - (before === undefined ? 0 : sizeOf(before))
    entry.spans.set(span.spanId, span)
    entry.bytes += grown
    bytes += grown
    if (before === undefined) spanCount += 1
  }

  const evict = (): void => {
    for (const entry of traces.values()) {
      if (traces.size <= limits.maxTraces && spanCount <= limits.maxSpans && bytes <= limits.maxBytes) return
      traces.delete(entry.traceId)
      spanCount -= entry.spans.size
      bytes -= entry.bytes
    }
  }

  return {
    add: (spans) => {
      const changed = new Set<string>()
      for (const span of spans) {
        insert(span)
        evict()
        changed.add(span.traceId)
      }
      for (const traceId of changed) if (!traces.has(traceId)) changed.delete(traceId)
      return changed
    },
    get: (traceId) => traces.get(traceId),
    list: () => [...traces.values()].reverse(),
    get size() {
      return { traces: traces.size, spans: spanCount, bytes }
    },
  }
}

/** Object headers, two bigints, the map entry: measured at about 600 bytes for a span without attributes. */
const SPAN_OVERHEAD = 600
const ENTRY_OVERHEAD = 64

function sizeOf(span: Span): number {
  let size = SPAN_OVERHEAD + 2 * (span.name.length + (span.statusMessage?.length ?? 0))
  size += attributesSize(span.attributes) + span.links.length * 160
  for (const event of span.events) size += 160 + 2 * event.name.length + attributesSize(event.attributes)
  return size
}

function attributesSize(attributes: Span['attributes']): number {
  let size = 0
  for (const [key, value] of Object.entries(attributes)) {
    size += ENTRY_OVERHEAD + 2 * key.length
    if (typeof value === 'string') size += 2 * value.length
    else if (typeof value === 'object') size += 2 * JSON.stringify(value).length
  }
  return size
}
