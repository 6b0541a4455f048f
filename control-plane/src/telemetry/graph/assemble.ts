/** Puts resources, sidecars, rates and lag together as the service graph. Pure. */
import type { LagReading } from '../lag.ts'
import type { Graph, GraphEdge, GraphNode, TopicNode } from '../types.ts'
import type { EdgeName, EdgeRates } from './counters.ts'
import type { MeshView } from './resources.ts'

/** A sidecar as the control plane knows it; one that has no `connectedSince` is not connected now. */
export interface SidecarView {
  readonly workload: string
  readonly namespace: string
  readonly identity: string
  readonly connectedSince?: string | number | Date | undefined
  readonly sentVersion?: number | undefined
  readonly ackedVersion?: number | undefined
  readonly nack?: { readonly version: number; readonly reason: string } | undefined
}

export interface GraphInput {
  readonly mesh: MeshView
  readonly sidecars: readonly SidecarView[]
  readonly rates: readonly { readonly name: EdgeName; readonly rates: EdgeRates }[]
  readonly lag: LagReading
  readonly nowMs: number
}

export function assembleGraph(input: GraphInput): Graph {
  const edges = [...liveEdges(input), ...silentEdges(input)].sort(byName)
  return {
    generatedAtUnixMs: input.nowMs,
    nodes: [...serviceNodes(input, edges), ...topicNodes(input, edges)],
    edges,
  }
}

const SILENT: EdgeRates = {
  ratePerSecond: 0,
  failedPerSecond: 0,
  refusedPerSecond: 0,
  lastMinute: { total: 0, failed: 0, refused: 0 },
  total: 0,
  refusedTotal: 0,
}

function liveEdges(input: GraphInput): readonly GraphEdge[] {
  return input.rates.map(({ name, rates: moving }) => ({ ...name, ...moving, ...lagOf(name, input) }))
}

/** A permitted consume names no group: one that is there with any group is the same line. */
function silentEdges(input: GraphInput): readonly GraphEdge[] {
  const seen = new Set<string>()
  for (const { name } of input.rates) seen.add(keyOf(name)).add(keyOf({ ...name, group: undefined }))
  return input.mesh.configured.flatMap((edge) => {
    if (seen.has(keyOf(edge))) return []
    seen.add(keyOf(edge)).add(keyOf({ ...edge, group: undefined }))
    return [{ ...edge, ...SILENT, ...lagOf(edge, input), configured: true as const }]
  })
}

/**
 * The wire proxy counts records and does not know for which group: then it is that of every group named after the
 * service which nobody else has named.
 */
function lagOf({ kind, source, destination, group }: EdgeKey, input: GraphInput): { lag?: number } {
  const { lag, mesh, rates } = input
  if (kind !== 'consume') return {}
  if (group !== undefined) {
    const records = lag.behind.get(lagKey(group, destination))
    return records === undefined ? {} : { lag: records }
  }
  const named = [...mesh.configured, ...rates.map(({ name }) => name)]
  const taken = new Set(
    named.flatMap((edge) => (edge.group === undefined ? [] : lagKey(edge.group, edge.destination))),
  )
  const end = lagKey('', destination)
  const own = [...lag.behind].filter(
    ([key]) =>
      key.endsWith(end) &&
      !taken.has(key) &&
      ownerOf(key.slice(0, -end.length), mesh.services, source) === source,
  )
  return own.length === 0 ? {} : { lag: own.reduce((sum, [, records]) => sum + records, 0) }
}

const lagKey = (group: string, topic: string): string => `${group} ${topic}`

/** Policies let an account into groups that begin with its name (`${serviceAccount}*`); the longest name that fits is meant. */
function ownerOf(group: string, services: readonly string[], source: string): string | undefined {
  let owner: string | undefined
  for (const name of [source, ...services]) {
    if (group.startsWith(name) && name.length > (owner?.length ?? 0)) owner = name
  }
  return owner
}

function serviceNodes({ mesh, sidecars }: GraphInput, edges: readonly GraphEdge[]): readonly GraphNode[] {
  const names = new Set(mesh.services)
  for (const edge of edges) {
    names.add(edge.source)
    if (edge.kind === 'http') names.add(edge.destination)
  }
  const hasIngress = names.delete('ingress')
  const connected = new Set(
    sidecars
      .filter((each) => each.connectedSince !== undefined)
      .map((each) => `${each.namespace}/${each.workload}`),
  )
  const services = [...names].sort().map((name): GraphNode => {
    const workloads = mesh.workloads.get(name)
    return {
      id: `service:${name}`,
      kind: 'service',
      name,
      ...(workloads !== undefined && {
        instances: {
          connected: workloads.filter((workload) => connected.has(workload)).length,
          total: workloads.length,
        },
      }),
      // Between sidecars there is nothing but mutual TLS; without a workload there is no sidecar.
      mtls: workloads !== undefined && workloads.length > 0,
    }
  })
  return hasIngress ? [{ id: 'ingress', kind: 'ingress', name: 'ingress' }, ...services] : services
}

function topicNodes({ mesh, lag }: GraphInput, edges: readonly GraphEdge[]): readonly TopicNode[] {
  const names = new Set([...mesh.topics.keys(), ...mesh.deadLetters.keys()])
  for (const edge of edges) if (edge.kind !== 'http') names.add(edge.destination)
  return [...names].sort().map((name) => {
    const partitions = mesh.topics.get(name)?.partitions
    const records = lag.records.get(name)
    const deadLetterOf = mesh.deadLetters.get(name) ?? parentByName(name, names)
    return {
      id: `topic:${name}`,
      kind: 'topic',
      name,
      ...(partitions !== undefined && { partitions }),
      ...(records !== undefined && { records }),
      ...(deadLetterOf !== undefined && { deadLetterOf }),
    }
  })
}

/** `<topic>.<group>.dlt` of a topic that there is; both names may hold dots, so the longest topic wins. */
function parentByName(name: string, topics: ReadonlySet<string>): TopicNode['deadLetterOf'] {
  if (!name.endsWith('.dlt')) return undefined
  const stem = name.slice(0, -'.dlt'.length)
  for (let dot = stem.lastIndexOf('.'); dot > 0; dot = stem.lastIndexOf('.', dot - 1)) {
    if (topics.has(stem.slice(0, dot))) return { topic: stem.slice(0, dot), group: stem.slice(dot + 1) }
  }
  return undefined
}

interface EdgeKey {
  readonly kind: string
  readonly source: string
  readonly destination: string
  readonly group?: string | undefined
}

const keyOf = ({ kind, source, destination, group }: EdgeKey): string =>
  JSON.stringify([kind, source, destination, group])

/** The same order each time, so that equal graphs are equal texts. */
const byName = (a: GraphEdge, b: GraphEdge): number => (keyOf(a) < keyOf(b) ? -1 : 1)
