import { SvgLink } from '../parts/svg-link.tsx'
import type { State } from './fact-types.ts'
import type { PlacedColumn, PlacedRow } from './layout.ts'
import { tracesOf } from './links.ts'
import { shownName } from './names.ts'

/** A state has a sign beside its colour. */
const SIGN: Readonly<Record<State, string>> = { ok: '', silent: '', warn: '◆ ', bad: '▲ ' }

export function ServiceBox({ column }: { readonly column: PlacedColumn }) {
  const { x, y, width, height, name, detail, state, kind, spoken } = column
  const shown = shownName(column)
  const corner = kind === 'ingress' || state === 'bad' ? 2 : 10
  return (
    <SvgLink class={`node service ${kind} ${state}`} href={tracesOf({ service: name })} spoken={spoken}>
      <rect class="focus" x={x - 4} y={y - 4} width={width + 8} height={height + 8} rx={corner + 3} />
      <rect class="shape" x={x} y={y} width={width} height={height} rx={corner} />
      <text class="name" x={x + 10} y={y + 22}>
        {shown}
      </text>{' '}
      <text class="detail" x={x + 10} y={y + 40}>
        {SIGN[state]}
        {detail}
      </text>
    </SvgLink>
  )
}

const CAP = 10

/** A lying cylinder, open to the right, where its thread comes out. */
export function TopicCylinder({ row }: { readonly row: PlacedRow }) {
  const { x, y, width, height, centre, name, detail, state, spoken } = row
  const shown = shownName(row)
  const right = x + width - CAP
  const half = height / 2
  const body = `M${x + CAP},${y} H${right} A${CAP},${half} 0 0 1 ${right},${y + height} H${x + CAP} A${CAP},${half} 0 0 1 ${x + CAP},${y} Z`
  return (
    <SvgLink class={`node topic ${state}`} href={tracesOf({ topic: name })} spoken={spoken}>
      <rect class="focus" x={x - 1} y={y - 4} width={width + 2} height={height + 8} rx={8} />
      <path class="shape" d={body} />
      <ellipse class="cap" cx={right} cy={centre} rx={CAP} ry={half} />
      <text class="name" x={x + 22} y={y + 22}>
        {shown}
      </text>{' '}
      <text class="detail" x={x + 22} y={y + 40}>
        {SIGN[state]}
        {detail}
      </text>
    </SvgLink>
  )
}
