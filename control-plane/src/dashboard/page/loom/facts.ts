/**
 * The graph in words and signs: what the picture draws and what the table says, so that they cannot differ. Pure.
 */
import type { Graph, GraphEdge } from '../../../telemetry/types.ts'
import { describeCall, describeKnot, describeRow, describeService } from './describe.ts'
import { type Call, type Facts, type Knot, keyOf, type MergedEdge } from './fact-types.ts'
import { columnOrder, rowOrder } from './order.ts'

export function factsOf(graph: Graph): Facts {
  const edges = mergeGroups(graph.edges)
  const columnNames = columnOrder(graph, edges)
  const rowNames = rowOrder(graph, edges, columnNames)
  const knots = edges.filter((edge) => edge.kind !== 'http').map((edge) => describeKnot(edge, graph))
  const calls = edges.filter((edge) => edge.kind === 'http').map(describeCall)
  const byName = new Map(graph.nodes.map((node) => [node.id, node]))

  return {
    columns: columnNames.flatMap((name) => {
      const node = byName.get(name === 'ingress' ? name : `service:${name}`)
      return node === undefined || node.kind === 'topic' ? [] : [describeService(node, knots)]
    }),
    rows: rowNames.flatMap((name) => {
      const node = byName.get(`topic:${name}`)
      return node?.kind === 'topic' ? [describeRow(node, edges)] : []
    }),
    calls: inOrder(calls, columnNames, (call) => [call.source, call.destination]),
    knots: inOrder(knots, columnNames, (knot) => [knot.service], rowNames),
  }
}

function mergeGroups(edges: readonly GraphEdge[]): readonly MergedEdge[] {
  const merged = new Map<string, MergedEdge>()
  for (const edge of edges) {
    const key = keyOf(edge.kind, edge.source, edge.destination)
    const groups = edge.group === undefined ? [] : [edge.group]
    const known = merged.get(key)
    merged.set(key, known === undefined ? { ...edge, groups } : sum(known, edge, groups))
  }
  return [...merged.values()]
}

function sum(a: MergedEdge, b: GraphEdge, groups: readonly string[]): MergedEdge {
  const lag = a.lag === undefined ? b.lag : a.lag + (b.lag ?? 0)
  const { configured: _, refusing: __, lag: ___, ...rest } = a
  return {
    ...rest,
    groups: [...a.groups, ...groups],
    ratePerSecond: a.ratePerSecond + b.ratePerSecond,
    failedPerSecond: a.failedPerSecond + b.failedPerSecond,
    refusedPerSecond: a.refusedPerSecond + b.refusedPerSecond,
    lastMinute: {
      total: a.lastMinute.total + b.lastMinute.total,
      failed: a.lastMinute.failed + b.lastMinute.failed,
      refused: a.lastMinute.refused + b.lastMinute.refused,
    },
    total: a.total + b.total,
    refusedTotal: a.refusedTotal + b.refusedTotal,
    ...(lag !== undefined && { lag }),
    ...((a.refusing ?? b.refusing) === true && { refusing: true }),
    ...(a.configured === true && b.configured === true && { configured: true }),
  }
}

/** As a reader's eye goes: by row where there are rows, then by column. */
function inOrder<T extends Call | Knot>(
  items: readonly T[],
  columns: readonly string[],
  columnsOf: (item: T) => readonly string[],
  rows: readonly string[] = [],
): readonly T[] {
  const rank = (item: T): readonly number[] => [
    'topic' in item ? rows.indexOf(item.topic) : 0,
    ...columnsOf(item).map((name) => columns.indexOf(name)),
    'kind' in item && item.kind === 'consume' ? 1 : 0,
  ]
  return [...items].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)]
    const at = left.findIndex((value, index) => value !== right[index])
    return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0)
  })
}
