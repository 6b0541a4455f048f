/** In which order columns and rows stand: by how the graph hangs together, then by name; never by what moves. Pure. */
import type { Graph, GraphEdge } from '../../../telemetry/types.ts'

type Edge = Pick<GraphEdge, 'kind' | 'source' | 'destination'>

/** Breadth first from the ingress, or from those that nobody calls; what is not reached comes last. */
export function columnOrder(graph: Graph, edges: readonly Edge[]): readonly string[] {
  const names = graph.nodes.filter((node) => node.kind !== 'topic').map((node) => node.name)
  const next = successors(graph, edges)
  const reached = new Set([...next.values()].flatMap((targets) => [...targets]))
  const starts = names.includes('ingress') ? ['ingress'] : names.filter((name) => !reached.has(name))

  const depth = new Map<string, number>(starts.map((name) => [name, 0]))
  const queue = [...starts]
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    for (const target of next.get(name) ?? []) {
      if (depth.has(target)) continue
      depth.set(target, (depth.get(name) ?? 0) + 1)
      queue.push(target)
    }
  }
  const depthOf = (name: string): number => depth.get(name) ?? Number.MAX_SAFE_INTEGER
  return [...names].sort((a, b) => depthOf(a) - depthOf(b) || compare(a, b))
}

/** By the leftmost service that writes to it, then by name; dead letters under the topic that they come from. */
export function rowOrder(
  graph: Graph,
  edges: readonly Edge[],
  columns: readonly string[],
): readonly string[] {
  const topics = graph.nodes.filter((node) => node.kind === 'topic')
  const known = new Set(topics.map((topic) => topic.name))
  const writer = new Map<string, number>()
  for (const { kind, source, destination } of edges) {
    if (kind !== 'produce') continue
    const column = columns.indexOf(source)
    writer.set(destination, Math.min(column, writer.get(destination) ?? column))
  }
  const rank = (name: string): number => writer.get(name) ?? Number.MAX_SAFE_INTEGER

  const isChild = (topic: (typeof topics)[number]): boolean =>
    topic.deadLetterOf !== undefined &&
    topic.deadLetterOf.topic !== topic.name &&
    known.has(topic.deadLetterOf.topic)
  const parents = topics.filter((topic) => !isChild(topic)).map((topic) => topic.name)
  const childrenOf = (name: string): readonly string[] =>
    topics
      .filter((topic) => isChild(topic) && topic.deadLetterOf?.topic === name)
      .map((topic) => topic.name)
      .sort(compare)

  const rows: string[] = []
  const place = (name: string): void => {
    if (rows.includes(name)) return
    rows.push(name)
    for (const child of childrenOf(name)) place(child)
  }
  for (const name of [...parents].sort((a, b) => rank(a) - rank(b) || compare(a, b))) place(name)
  // Two topics that are each the other's dead letters have no parent to start from.
  for (const { name } of topics) place(name)
  return rows
}

/** Whom a service reaches: by calling, or by writing what the other reads. Dead letters lead nowhere. */
function successors(graph: Graph, edges: readonly Edge[]): ReadonlyMap<string, ReadonlySet<string>> {
  const dead = new Set(
    graph.nodes.flatMap((node) =>
      node.kind === 'topic' && node.deadLetterOf !== undefined ? [node.name] : [],
    ),
  )
  const readers = new Map<string, Set<string>>()
  const next = new Map<string, Set<string>>()
  const add = (map: Map<string, Set<string>>, key: string, value: string): void => {
    map.set(key, (map.get(key) ?? new Set()).add(value))
  }
  for (const edge of edges) if (edge.kind === 'consume') add(readers, edge.destination, edge.source)
  for (const { kind, source, destination } of edges) {
    const targets =
      kind === 'http' ? [destination] : kind === 'produce' ? (readers.get(destination) ?? []) : []
    if (kind === 'produce' && dead.has(destination)) continue
    for (const target of targets) if (target !== source) add(next, source, target)
  }
  for (const [source, targets] of next) next.set(source, new Set([...targets].sort(compare)))
  return next
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
