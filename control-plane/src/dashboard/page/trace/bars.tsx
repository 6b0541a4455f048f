import type { SpanRow, WaitRow } from './rows.ts'

export const ROW_HEIGHT = 28
const BAR_Y = 7
const BAR_HEIGHT = 14

interface BarsProps {
  readonly row: SpanRow | WaitRow
  readonly class: string
  readonly label: string
}

/** The bar, in per cent of whatever width there is; its label stands behind it, or before it where there is no room. */
export function Bars({ row: { x, width }, class: className, label }: BarsProps) {
  const isRight = x + width > 78
  return (
    <svg class="bars" height={ROW_HEIGHT} aria-hidden="true">
      <rect class={`bar ${className}`} x={`${x}%`} width={`${width}%`} y={BAR_Y} height={BAR_HEIGHT} rx="2" />
      {!isRight ? (
        <text x={`${x + width}%`} dx="6" y={19}>
          {label}
        </text>
      ) : x > 22 ? (
        <text x={`${x}%`} dx="-6" y={19} text-anchor="end">
          {label}
        </text>
      ) : (
        <text class={`on-bar ${className}`} x={`${x}%`} dx="6" y={19}>
          {label}
        </text>
      )}
    </svg>
  )
}
