import type { SpanJson } from '../../../telemetry/types.ts'
import { duration } from '../parts/format.ts'
import { traceWords } from '../strings.ts'
import { Bars, ROW_HEIGHT } from './bars.tsx'
import type { Waterfall as Geometry, SpanRow, WaitRow } from './rows.ts'
import { SpanDetails } from './span-details.tsx'

/** Each span is a row that opens; each wait of an event in its topic is a row of its own above the span it ended in. */
export function Waterfall({ waterfall }: { readonly waterfall: Geometry }) {
  return (
    <div class="waterfall">
      <svg class="defs" width="0" height="0" aria-hidden="true">
        <defs>
          <pattern
            id="hatch"
            width="6"
            height="6"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <line class="hatch" x1="0" x2="0" y1="0" y2="6" />
          </pattern>
        </defs>
      </svg>
      <Axis waterfall={waterfall} />
      <ol class="rows">
        {waterfall.rows.map((row) => (
          <li
            key={row.kind === 'span' ? row.span.spanId : `wait ${row.wait.toSpanId} ${row.wait.fromSpanId}`}
          >
            {row.kind === 'span' ? <SpanLine row={row} /> : <WaitLine row={row} />}
          </li>
        ))}
      </ol>
      <p class="legend">
        <Swatch class="sync" /> {traceWords.legendSync} <Swatch class="event" /> {traceWords.legendEvent}{' '}
        <Swatch class="waiting" /> {traceWords.legendWait}
      </p>
    </div>
  )
}

function Axis({ waterfall }: { readonly waterfall: Geometry }) {
  return (
    <div class="line axis">
      <span />
      <svg class="bars" height="20" aria-hidden="true">
        {waterfall.ticks.map(({ x, ms }) => (
          <g key={ms}>
            <line class="tick" x1={`${x}%`} x2={`${x}%`} y1={14} y2={20} />
            <text x={`${x}%`} y={11} text-anchor={x === 0 ? 'start' : x > 92 ? 'end' : 'middle'}>
              {duration(ms)}
            </text>
          </g>
        ))}
      </svg>
    </div>
  )
}

const INDENT = 14
/** Deeper than this, names would have no room. */
const MAX_INDENTED = 12

function Indent({ depth }: { readonly depth: number }) {
  const levels = Math.min(depth, MAX_INDENTED)
  const width = levels * INDENT
  return (
    <svg class="indent" width={width + 2} height={ROW_HEIGHT} aria-hidden="true">
      {Array.from({ length: levels }, (_, level) => (
        <line key={level} x1={level * INDENT + 6} x2={level * INDENT + 6} y1={0} y2={ROW_HEIGHT} />
      ))}
    </svg>
  )
}

function SpanLine({ row }: { readonly row: SpanRow }) {
  const { span, depth } = row
  const isEvent = span.kind === 'producer' || span.kind === 'consumer'
  const colour = isEvent ? 'event' : span.kind === 'internal' ? 'internal' : 'sync'
  const failed = span.status === 'error'
  return (
    <details class="span">
      <summary class="line">
        <span class="who">
          <Indent depth={depth} />
          {failed && <span class="cross">✕ </span>}
          <span class="what">{span.name}</span> <small>{whereOf(span)}</small>
          {span.parentMissing === true && <em class="chip">{traceWords.parentMissing}</em>}
        </span>
        <Bars
          row={row}
          class={`${colour} ${span.kind} ${failed ? 'failed' : ''}`}
          label={duration(span.durationMs)}
        />
      </summary>
      <SpanDetails span={span} />
    </details>
  )
}

/** The service, unless the name says it already, and what was asked for. */
function whereOf({ name, service, attributes }: SpanJson): string {
  const path = attributes['url.path']
  const parts = [name === service ? '' : service, typeof path === 'string' ? path : '']
  return parts.filter((part) => part !== '').join(' · ')
}

function WaitLine({ row }: { readonly row: WaitRow }) {
  const { wait, depth } = row
  const waited = duration(wait.waitMs)
  return (
    <div class="line waited">
      <span class="who">
        <Indent depth={depth} />
        <span class="what">{traceWords.waited(waited, wait.topic)}</span>
        {wait.clockSkew === true && <em class="chip">{traceWords.skewed}</em>}
      </span>
      <Bars row={row} class="waiting" label={waited} />
    </div>
  )
}

function Swatch({ class: className }: { readonly class: string }) {
  return (
    <svg width="22" height="12" aria-hidden="true">
      <rect class={`bar ${className}`} x="1" y="1" width="20" height="10" rx="2" />
    </svg>
  )
}
