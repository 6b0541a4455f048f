/** Takes the reports of sidecars: checks them against the identity that sent them, and counts. */
import type { SpiffeId } from '@weft/schemas/spiffe'
import type { SidecarView } from './assemble.ts'
import { createEdgeCounters, type EdgeName, type EdgeRates, type EdgeReport } from './counters.ts'
import type { MeshView } from './resources.ts'

export interface Reports {
  report(identity: SpiffeId, workload: string, edges: readonly EdgeReport[]): void
  rates(sidecars: readonly SidecarView[]): readonly { readonly name: EdgeName; readonly rates: EdgeRates }[]
}

export interface ReportOptions {
  readonly mesh: () => MeshView
  readonly now: () => number
}

/** A sidecar that is away reconnects within 5 s; a minute later its column would show what is no more. */
const FORGET_AFTER_MS = 60_000
/**
 * When the control plane starts again, sidecars come back within seconds with counters of hours: those make totals
 * but no rate. Later a first report is that of a sidecar that has just started, and all of it is new.
 */
const SETTLE_MS = 10_000
/** A service with a thousand neighbours is no service. */
const MAX_EDGES_PER_REPORT = 2000
/** Kafka's limit of a topic name; service and group names are shorter or equally long. */
const MAX_NAME = 249

export function createReports({ mesh, now }: ReportOptions): Reports {
  const counters = createEdgeCounters(now)
  const lastReport = new Map<string, number>()
  const settled = now() + SETTLE_MS

  return {
    report: (identity, workload, edges) => {
      const sidecar = `${identity.namespace}/${workload}`
      const baseline = !lastReport.has(sidecar) && now() < settled
      lastReport.set(sidecar, now())
      const { serviceOf } = mesh()
      const own = new Set([identity.serviceAccount, serviceOf(identity.serviceAccount)])
      for (const edge of edges.slice(0, MAX_EDGES_PER_REPORT)) {
        const name = nameOf(edge, own, serviceOf)
        if (name !== undefined) counters.report(sidecar, name, cumulativeOf(edge), baseline)
      }
    },
    rates: (sidecars) => {
      const oldest = now() - FORGET_AFTER_MS
      const connected = new Set(
        sidecars
          .filter((each) => each.connectedSince !== undefined)
          .map((each) => `${each.namespace}/${each.workload}`),
      )
      for (const [sidecar, at] of lastReport) {
        if (at < oldest && !connected.has(sidecar)) lastReport.delete(sidecar)
      }
      counters.keep((sidecar) => lastReport.has(sidecar))
      return counters.rates()
    },
  }
}

/** Undefined for what the sender cannot know: an edge that does not touch its own service. */
function nameOf(
  edge: EdgeReport,
  own: ReadonlySet<string>,
  serviceOf: (account: string) => string,
): EdgeName | undefined {
  const { kind, destination, group } = edge
  // The metrics' name for a caller without an identity.
  const source = edge.source === '-' ? 'ingress' : edge.source
  if (![source, destination].every((name) => name.length > 0 && name.length <= MAX_NAME)) return undefined
  switch (kind) {
    case 'http':
      if (!own.has(source) && !own.has(destination)) return undefined
      return { kind, source: serviceOf(source), destination: serviceOf(destination) }
    case 'produce':
    case 'consume': {
      if (!own.has(source)) return undefined
      const named = kind === 'consume' && group !== '' && group.length <= MAX_NAME
      return { kind, source: serviceOf(source), destination, ...(named && { group }) }
    }
    default:
      return undefined
  }
}

const cumulativeOf = (edge: EdgeReport) => ({
  total: atLeastZero(Number(edge.total)),
  failed: atLeastZero(Number(edge.failed)),
  refused: atLeastZero(Number(edge.refused)),
  seconds: atLeastZero(edge.durationSeconds),
})

const atLeastZero = (value: number): number => (Number.isFinite(value) && value > 0 ? value : 0)
