import type { Edge } from '@weft/schemas/proto'

/** A service with ten thousand neighbours is a fault or an attack on the memory of the graph. */
const MAX_EDGES = 10_000
/** The longest name of a topic is 249, that of a service 253. */
const MAX_NAME_LENGTH = 255
const KINDS: ReadonlySet<string> = new Set(['http', 'produce', 'consume'])

/** What is wrong with the edges of a Report, or undefined. */
export function faultOfReport(edges: readonly Edge[]): string | undefined {
  if (edges.length > MAX_EDGES) return `expected at most ${MAX_EDGES} edges, came ${edges.length}`
  const bad = edges.findIndex((edge) => !isEdge(edge))
  if (bad === -1) return undefined
  return `edges[${bad}]: expected http, produce or consume between two names with counters from 0`
}

function isEdge(edge: Edge): boolean {
  return (
    KINDS.has(edge.kind) &&
    isName(edge.source) &&
    isName(edge.destination) &&
    edge.group.length <= MAX_NAME_LENGTH &&
    edge.total >= 0n &&
    edge.failed >= 0n &&
    edge.refused >= 0n &&
    Number.isFinite(edge.durationSeconds) &&
    edge.durationSeconds >= 0
  )
}

const isName = (name: string): boolean => name !== '' && name.length <= MAX_NAME_LENGTH
