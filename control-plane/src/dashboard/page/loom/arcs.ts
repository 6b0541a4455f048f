/** The arcs of synchronous calls, above the boxes. Pure. */
import type { Call } from './fact-types.ts'

export interface PlacedCall extends Call {
  readonly path: string
  readonly labelX: number
  readonly labelY: number
}

const ARC_LOW = 47
const ARC_STEP = 34
const ARC_MAX_SPAN = 5

/** How high the top of an arc is above the boxes: longer ones pass over shorter ones, those back under those forth. */
function arcHeight(from: number, to: number): number {
  const span = Math.min(ARC_MAX_SPAN, Math.max(1, Math.abs(to - from)))
  return ARC_LOW + (span - 1) * ARC_STEP - (to < from ? 18 : 0)
}

/** What the highest arc needs above the boxes. */
export function arcsHeight(calls: readonly Call[], at: ReadonlyMap<string, number>): number {
  const heights = calls.map((call) => arcHeight(at.get(call.source) ?? 0, at.get(call.destination) ?? 0))
  return Math.max(0, ...heights)
}

interface Columns {
  readonly at: ReadonlyMap<string, number>
  readonly centreOf: (index: number) => number
  readonly boxTop: number
}

/** One arc, or none where one of its ends has no column. */
export function placeCall(call: Call, { at, centreOf, boxTop }: Columns): readonly PlacedCall[] {
  const from = at.get(call.source)
  const to = at.get(call.destination)
  if (from === undefined || to === undefined) return []
  const height = arcHeight(from, to)
  const direction = to >= from ? 1 : -1
  // A longer arc starts and ends nearer to the middle: it lies outside of the shorter ones.
  const inset = (direction < 0 ? 44 : 24) - 8 * Math.min(2, Math.max(0, Math.abs(to - from) - 1))
  const isLoop = from === to
  const x1 = centreOf(from) + (isLoop ? -inset : direction * inset)
  const x2 = centreOf(to) + (isLoop ? inset : -direction * inset)
  // The top of a cubic curve lies at three quarters of the height of its handles.
  const handle = boxTop - height / 0.75
  const lean = 14 * direction
  const path = `M${x1},${boxTop - 2} C${x1 + lean},${handle} ${x2 - lean},${handle} ${x2},${boxTop - 2}`
  return [{ ...call, path, labelX: (x1 + x2) / 2, labelY: boxTop - height }]
}
