/** A trace as the rows of a waterfall: which row, how deep, from where to where. Pure. */
import type { SpanJson, TraceJson, WaitJson } from '../../../telemetry/types.ts'

interface Bar {
  /** Per cent of the whole width. */
  readonly x: number
  readonly width: number
  readonly startMs: number
  readonly depth: number
}

export interface SpanRow extends Bar {
  readonly kind: 'span'
  readonly span: SpanJson
}

/** The time that an event lay in its topic; stands above the span that processed it. */
export interface WaitRow extends Bar {
  readonly kind: 'wait'
  readonly wait: WaitJson
}

export type WaterfallRow = SpanRow | WaitRow

export interface Waterfall {
  readonly rows: readonly WaterfallRow[]
  readonly totalMs: number
  readonly ticks: readonly { readonly x: number; readonly ms: number }[]
}

export function waterfallOf(trace: TraceJson): Waterfall {
  const scale = scaleOf(trace)
  const waits = Map.groupBy(trace.waits, (wait) => wait.toSpanId)
  const rows = inTreeOrder(trace.spans).flatMap(({ span, depth }): WaterfallRow[] => {
    const start = BigInt(span.startTimeUnixNano)
    return [
      ...(waits.get(span.spanId) ?? []).map((wait): WaitRow => {
        const from = BigInt(wait.startTimeUnixNano)
        return { kind: 'wait', wait, depth, ...scale.bar(from, toMs(BigInt(wait.endTimeUnixNano) - from)) }
      }),
      { kind: 'span', span, depth, ...scale.bar(start, span.durationMs) },
    ]
  })
  return { rows, totalMs: scale.totalMs, ticks: ticksOf(scale.totalMs) }
}

const toMs = (nanos: bigint): number => Number(nanos) / 1e6

function scaleOf(trace: TraceJson) {
  const starts = [
    ...trace.spans.map((span) => ({ start: BigInt(span.startTimeUnixNano), ms: span.durationMs })),
    ...trace.waits.map((wait) => ({ start: BigInt(wait.startTimeUnixNano), ms: wait.waitMs })),
  ]
  const first = starts.reduce<bigint | undefined>(
    (least, { start }) => (least === undefined || start < least ? start : least),
    undefined,
  )
  const zero = first ?? 0n
  const totalMs = starts.reduce((most, { start, ms }) => Math.max(most, toMs(start - zero) + ms), 0)
  // A trace without any length is drawn as one full bar.
  const percent = (ms: number): number => (totalMs === 0 ? 0 : round((ms / totalMs) * 100))
  return {
    totalMs,
    bar: (start: bigint, ms: number) => {
      const startMs = toMs(start - zero)
      return { startMs, x: percent(startMs), width: totalMs === 0 ? 100 : percent(ms) }
    },
  }
}

const round = (percent: number): number => Math.round(percent * 1000) / 1000

interface Placed {
  readonly span: SpanJson
  readonly depth: number
}

/** Children below their parents, by start. Spans whose parent is not here are roots; so is one of a circle of parents. */
function inTreeOrder(spans: readonly SpanJson[]): readonly Placed[] {
  const known = new Set(spans.map((span) => span.spanId))
  const isRoot = (span: SpanJson): boolean => span.parentSpanId === undefined || !known.has(span.parentSpanId)
  const children = Map.groupBy(spans, (span) => span.parentSpanId)
  const placed: Placed[] = []
  const seen = new Set<string>()
  const place = (root: SpanJson): void => {
    const stack: Placed[] = [{ span: root, depth: 0 }]
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (seen.has(next.span.spanId)) continue
      seen.add(next.span.spanId)
      placed.push(next)
      const depth = next.depth + 1
      for (const span of (children.get(next.span.spanId) ?? []).toReversed()) stack.push({ span, depth })
    }
  }
  for (const span of spans) if (isRoot(span)) place(span)
  for (const span of spans) place(span)
  return placed
}

const MOST_TICKS = 6

/** At 1, 2 or 5 times a power of ten, so that a person can read between them. */
function ticksOf(totalMs: number): Waterfall['ticks'] {
  if (totalMs <= 0) return [{ x: 0, ms: 0 }]
  const power = 10 ** Math.floor(Math.log10(totalMs / MOST_TICKS))
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((each) => totalMs / each <= MOST_TICKS) ?? totalMs
  const count = Math.floor(totalMs / step) + 1
  return Array.from({ length: count }, (_, index) => ({
    ms: index * step,
    x: round(((index * step) / totalMs) * 100),
  }))
}
