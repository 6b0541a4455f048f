import { words } from '../strings.ts'
import type { Facts } from './fact-types.ts'
import { layoutOf } from './layout.ts'
import { CallArc, KnotMark } from './marks.tsx'
import { ServiceBox, TopicCylinder } from './nodes.tsx'
import { threadPath } from './thread.ts'

interface LoomProps {
  readonly facts: Facts
  /** Keys of the calls and knots of the trace that is lit up. */
  readonly thread: ReadonlySet<string>
}

/** The picture. It keeps its size and its frame scrolls: text is never scaled below 12 px. */
export function Loom({ facts, thread }: LoomProps) {
  const layout = layoutOf(facts)
  const { width, height, columns, rows, calls, knots, top, bottom, legendY } = layout
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="loom-frame" aria-label={words.loomName} tabIndex={0}>
      <svg
        class="loom"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        aria-label={words.graph}
      >
        <defs>
          <Arrow id="arrow-http" />
          <Arrow id="arrow-bad" />
        </defs>
        {columns.map(({ name, centre }) => (
          <line key={name} class="warp" x1={centre} x2={centre} y1={top} y2={bottom} />
        ))}
        {rows.map(({ name, x, width: from, centre, threadEnd, state, isQuiet }) => (
          <g key={name}>
            <line class="lane" x1={x + from} x2={width} y1={centre} y2={centre} />
            <line
              class={`weft ${isQuiet ? 'silent' : state}`}
              x1={x + from - 10}
              x2={threadEnd}
              y1={centre}
              y2={centre}
            />
          </g>
        ))}
        {thread.size > 0 && <path class="thread" d={threadPath(layout, thread)} />}
        {calls.map((call) => (
          <CallArc key={call.key} mark={call} lit={thread.has(call.key)} />
        ))}
        {columns.map((column) => (
          <ServiceBox key={column.name} column={column} />
        ))}
        {rows.map((row) => (
          <TopicCylinder key={row.name} row={row} />
        ))}
        {knots.map((knot) => (
          <KnotMark key={knot.key} mark={knot} lit={thread.has(knot.key)} />
        ))}
        <Legend y={legendY} hasSilent={[...knots, ...calls].some(({ state }) => state === 'silent')} />
      </svg>
    </section>
  )
}

function Arrow({ id }: { readonly id: string }) {
  return (
    <marker
      id={id}
      viewBox="0 0 10 10"
      refX="8"
      refY="5"
      markerWidth="12"
      markerHeight="12"
      markerUnits="userSpaceOnUse"
      orient="auto"
    >
      <path d="M0,0 L10,5 L0,10 Z" />
    </marker>
  )
}

function Legend({ y, hasSilent }: { readonly y: number; readonly hasSilent: boolean }) {
  const parts = [words.legendProduces, words.legendConsumes, words.legendRefused]
  return (
    <text class="legend" x={2} y={y}>
      {[...parts, ...(hasSilent ? [words.legendSilent] : [])].join('  ')}
    </text>
  )
}
