import { SvgLink } from '../parts/svg-link.tsx'
import type { PlacedCall } from './arcs.ts'
import type { PlacedKnot } from './layout.ts'
import { tracesOf } from './links.ts'

interface MarkProps<T> {
  readonly mark: T
  readonly lit: boolean
}

/** Room for a label of 12 px on its own ground, so that lines pass behind it. */
const widthOf = (label: string): number => label.length * 6.9 + 10

function Label({ x, y, text }: { readonly x: number; readonly y: number; readonly text: string }) {
  const width = widthOf(text)
  return (
    <>
      <rect class="ground" x={x - width / 2} y={y - 9} width={width} height={18} />
      <text class="label" x={x} y={y + 4} text-anchor="middle">
        {text}
      </text>
    </>
  )
}

export function CallArc({ mark, lit }: MarkProps<PlacedCall>) {
  const { path, labelX, labelY, label, state, destination, spoken } = mark
  const width = widthOf(label)
  return (
    <SvgLink
      class={`mark call ${state} ${lit ? 'lit' : ''}`}
      href={tracesOf({ service: destination })}
      spoken={spoken}
    >
      <path class="arc" d={path} marker-end={`url(#arrow-${state === 'bad' ? 'bad' : 'http'})`} />
      <rect class="focus" x={labelX - width / 2 - 3} y={labelY - 12} width={width + 6} height={24} rx={4} />
      <Label x={labelX} y={labelY} text={label} />
    </SvgLink>
  )
}

export function KnotMark({ mark, lit }: MarkProps<PlacedKnot>) {
  const { x, y, labelY, kind, refused, label, state, service, topic, spoken } = mark
  const sign = refused ? 'refused' : kind
  return (
    <SvgLink
      class={`mark knot ${sign} ${state} ${lit ? 'lit' : ''}`}
      href={tracesOf({ service, topic })}
      spoken={spoken}
    >
      {lit && <circle class="ring" cx={x} cy={y} r={12} />}
      <rect class="focus" x={x - 14} y={y - 14} width={28} height={28} rx={6} />
      <path class="sign" d={shapeOf(sign, x, y)} />
      <Label x={x} y={labelY} text={label} />
    </SvgLink>
  )
}

function shapeOf(sign: 'produce' | 'consume' | 'refused', x: number, y: number): string {
  switch (sign) {
    case 'produce':
      return `M${x - 8},${y - 7} H${x + 8} L${x},${y + 7} Z`
    case 'consume':
      return `M${x - 8},${y + 7} H${x + 8} L${x},${y - 7} Z`
    case 'refused':
      return `M${x - 7},${y - 7} L${x + 7},${y + 7} M${x + 7},${y - 7} L${x - 7},${y + 7}`
  }
}
