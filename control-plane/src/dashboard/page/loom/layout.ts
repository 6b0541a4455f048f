/**
 * Where everything of the loom stands, in pixels. Services are columns, topics are rows, so nothing crosses by
 * construction and nothing moves between refreshes unless the graph itself changes. Pure.
 */
import { arcsHeight, type PlacedCall, placeCall } from './arcs.ts'
import type { Column, Facts, Knot, Row } from './fact-types.ts'
import { type Named, shownName } from './names.ts'

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface PlacedColumn extends Column, Box {
  /** The middle, where its thread hangs. */
  readonly centre: number
}

export interface PlacedRow extends Row, Box {
  readonly centre: number
  /** End of the thick line: just behind the last knot; the cylinder's edge where there is none. */
  readonly threadEnd: number
  /** Permitted to some, and nobody has used it yet. */
  readonly isQuiet: boolean
}

export interface PlacedKnot extends Knot {
  readonly x: number
  readonly y: number
  /** Below the knot; of two knots of one cell the left one has it above, whatever the length of the labels. */
  readonly labelY: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly columns: readonly PlacedColumn[]
  readonly rows: readonly PlacedRow[]
  readonly calls: readonly PlacedCall[]
  readonly knots: readonly PlacedKnot[]
  /** Where the columns' threads begin and end. */
  readonly top: number
  readonly bottom: number
  readonly legendY: number
}

/** Sizes of the reference picture. */
const BOX_HEIGHT = 52
const MIN_BOX_WIDTH = 158
const COLUMN_GAP = 11
const TOPIC_HEIGHT = 52
const MIN_TOPIC_WIDTH = 174
const TOPIC_GAP = 10
const ROW_PITCH = 69
const FIRST_ROW = 58
const MARGIN = 2
/** How far the thick line goes on behind the last knot, and the two knots of one cell stand apart. */
const TAIL = 33
/** Bold text of 13 px. */
const CHARACTER = 7.4
const LABEL_HEIGHT = 20
const LABEL_OFFSET = 22

export function layoutOf(facts: Facts): Layout {
  const boxWidth = widthFor(facts.columns, MIN_BOX_WIDTH, 20)
  const topicWidth = widthFor(facts.rows, MIN_TOPIC_WIDTH, 52)
  const pitch = boxWidth + COLUMN_GAP
  const left = MARGIN + topicWidth + TOPIC_GAP
  const at = new Map(facts.columns.map((column, index) => [column.name, index]))
  const centreOf = (index: number): number => left + index * pitch + boxWidth / 2
  const boxTop = LABEL_HEIGHT + arcsHeight(facts.calls, at)
  const bottomOfBoxes = boxTop + BOX_HEIGHT

  const columns = facts.columns.map((column, index) => ({
    ...column,
    x: left + index * pitch,
    y: boxTop,
    width: boxWidth,
    height: BOX_HEIGHT,
    centre: centreOf(index),
  }))
  const rowY = new Map(
    facts.rows.map((row, index) => [row.name, bottomOfBoxes + FIRST_ROW + index * ROW_PITCH]),
  )
  const knots = placeKnots(facts.knots, (service) => centreOf(at.get(service) ?? 0), rowY)
  const rows = facts.rows.map((row) => {
    const centre = rowY.get(row.name) ?? 0
    const own = knots.filter((knot) => knot.topic === row.name)
    const ends = own.map((knot) => knot.x + TAIL)
    const box = { x: MARGIN, y: centre - TOPIC_HEIGHT / 2, width: topicWidth, height: TOPIC_HEIGHT }
    return {
      ...row,
      ...box,
      centre,
      threadEnd: Math.max(MARGIN + topicWidth, ...ends),
      isQuiet: own.every(({ state }) => state === 'silent'),
    }
  })
  const lastRow = bottomOfBoxes + FIRST_ROW + (Math.max(1, facts.rows.length) - 1) * ROW_PITCH
  const bottom = lastRow + ROW_PITCH / 2
  return {
    width: left + Math.max(1, facts.columns.length) * pitch,
    height: bottom + 28,
    columns,
    rows,
    calls: facts.calls.flatMap((call) => placeCall(call, { at, centreOf, boxTop })),
    knots,
    top: bottomOfBoxes,
    bottom,
    legendY: bottom + 18,
  }
}

function widthFor(items: readonly Named[], least: number, padding: number): number {
  const longest = Math.max(0, ...items.map((item) => shownName(item).length))
  return Math.max(least, Math.round(padding + longest * CHARACTER))
}

/** A service that both writes and reads a topic has two knots, side by side. */
function placeKnots(
  knots: readonly Knot[],
  centre: (service: string) => number,
  rowY: ReadonlyMap<string, number>,
): readonly PlacedKnot[] {
  const cell = (knot: Knot): string => `${knot.service} ${knot.topic}`
  const inCell = Map.groupBy(knots, cell)
  return knots.map((knot) => {
    const isPair = (inCell.get(cell(knot))?.length ?? 0) > 1
    const shift = isPair ? (knot.kind === 'produce' ? -TAIL : TAIL) : 0
    const y = rowY.get(knot.topic) ?? 0
    return {
      ...knot,
      x: centre(knot.service) + shift,
      y,
      labelY: shift < 0 ? y - LABEL_OFFSET : y + LABEL_OFFSET,
    }
  })
}
