/** Where a path of members stands in a YAML document. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
} from 'yaml'
import type { FaultPath } from './fault.ts'

export interface Position {
  readonly line: number
  readonly column: number
}

interface Place {
  readonly document: Document.Parsed
  readonly lines: LineCounter
  /** The resource: the document's root, or an entry of a list at its root. */
  readonly root: unknown
}

/** The place of the value at the path, of its name where `onKey`, of the nearest thing above it where it is missing. */
export function positionOf(place: Place, at: FaultPath, onKey = false): Position {
  let node = place.root
  let offset = startOf(node) ?? place.document.range[0]
  for (const [depth, part] of at.entries()) {
    const found = child(place.document, node, part)
    if (found === undefined) break
    const key = startOf(found.key)
    const isLast = depth === at.length - 1
    // `to:` with nothing after it, and a missing member, are best shown at the name that is there.
    offset =
      (isLast && !onKey && !isEmpty(found.value) ? startOf(found.value) : undefined) ??
      key ??
      startOf(found.value) ??
      offset
    node = found.value
  }
  const { line, col } = place.lines.linePos(offset)
  return { line, column: col }
}

function child(
  document: Document.Parsed,
  parent: unknown,
  part: string | number,
): { key?: unknown; value: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent
  if (isMap(node)) {
    const pair = node.items.find(
      (item: Pair) => (isScalar(item.key) ? String(item.key.value) : undefined) === String(part),
    )
    return pair === undefined ? undefined : { key: pair.key, value: pair.value }
  }
  if (isSeq(node) && typeof part === 'number' && part < node.items.length) return { value: node.items[part] }
  return undefined
}

const isEmpty = (node: unknown): boolean =>
  isScalar(node) && node.value === null && (node.source ?? '') === ''

const startOf = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined)
