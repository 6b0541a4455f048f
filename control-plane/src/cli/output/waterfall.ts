import type { SpanJson, TraceJson, WaitJson } from '../../telemetry/types.ts'
import type { Screen } from '../io.ts'
import { duration, printable } from './table.ts'

const BAR_WIDTH = 32

/** One line of a waterfall: a span, or the time that an event lay in its topic. */
interface Row {
  readonly depth: number
  readonly name: string
  readonly service: string
  readonly startMs: number
  readonly durationMs: number
  readonly kind: 'http' | 'event' | 'wait'
  readonly isError: boolean
}

/** A trace as text: a line per span, indented below its parent, with a bar for its time; waits in a topic drawn as dots. */
export function renderWaterfall(trace: TraceJson, screen: Screen): string {
  const rows = rowsOf(trace)
  const nameWidth = Math.max(...rows.map((row) => 2 * row.depth + row.name.length), 4)
  const serviceWidth = Math.max(...rows.map((row) => row.service.length), 7)
  return rows
    .map((row) => {
      const name = `${'  '.repeat(row.depth)}${row.name}`.padEnd(nameWidth)
      const times = `${duration(row.startMs).padStart(9)} ${duration(row.durationMs).padStart(9)}`
      const bar = paintRow(screen, row, barOf(row, trace.durationMs))
      const error = row.isError ? screen.paint('red', ' ✕') : ''
      return `${times}  ${bar}  ${paintRow(screen, row, name)}  ${row.service.padEnd(serviceWidth)}${error}`.trimEnd()
    })
    .join('\n')
    .concat('\n')
}

function paintRow(screen: Screen, { kind, isError }: Row, text: string): string {
  if (isError) return screen.paint('red', text)
  return screen.paint(kind === 'http' ? 'blue' : kind === 'event' ? 'yellow' : 'gray', text)
}

function barOf({ startMs, durationMs, kind }: Row, totalMs: number): string {
  const scale = totalMs > 0 ? BAR_WIDTH / totalMs : 0
  const from = Math.min(BAR_WIDTH - 1, Math.max(0, Math.floor(startMs * scale)))
  const length = Math.min(BAR_WIDTH - from, Math.max(1, Math.round(durationMs * scale)))
  return `${' '.repeat(from)}${(kind === 'wait' ? '·' : '█').repeat(length)}`.padEnd(BAR_WIDTH)
}

/** Spans in the order of a walk through the tree, each wait just before the span that ended it. Total: a damaged tree loses no span. */
function rowsOf({ spans, waits }: TraceJson): readonly Row[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  const children = new Map<string | undefined, SpanJson[]>()
  for (const span of spans) {
    const parent =
      span.parentSpanId !== undefined && byId.has(span.parentSpanId) ? span.parentSpanId : undefined
    children.set(parent, [...(children.get(parent) ?? []), span])
  }
  const first = spans.reduce(
    (least, span) => min(least, BigInt(span.startTimeUnixNano)),
    BigInt(spans[0]?.startTimeUnixNano ?? 0),
  )
  const rows: Row[] = []
  const seen = new Set<string>()
  const visit = (span: SpanJson, depth: number): void => {
    if (seen.has(span.spanId)) return
    seen.add(span.spanId)
    for (const wait of waits) if (wait.toSpanId === span.spanId) rows.push(waitRow(wait, depth, first))
    rows.push(spanRow(span, depth, first))
    for (const child of children.get(span.spanId) ?? []) visit(child, depth + 1)
  }
  for (const root of children.get(undefined) ?? []) visit(root, 0)
  // Spans whose parents form a circle hang below no root.
  for (const span of spans) visit(span, 0)
  return rows
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)

const sinceMs = (unixNano: string, first: bigint): number => Number(BigInt(unixNano) - first) / 1e6

function spanRow(span: SpanJson, depth: number, first: bigint): Row {
  return {
    depth,
    name: printable(span.name),
    service: printable(span.service),
    startMs: sinceMs(span.startTimeUnixNano, first),
    durationMs: span.durationMs,
    kind: span.topic === undefined ? 'http' : 'event',
    isError: span.status === 'error',
  }
}

function waitRow(wait: WaitJson, depth: number, first: bigint): Row {
  return {
    depth,
    name: `waited in ${printable(wait.topic)}${wait.clockSkew === true ? ' (clocks differ)' : ''}`,
    service: '',
    startMs: sinceMs(wait.startTimeUnixNano, first),
    durationMs: Math.max(0, wait.waitMs),
    kind: 'wait',
    isError: false,
  }
}
