import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { Resource } from '@weft/schemas/resources'
import type { SpiffeId } from '@weft/schemas/spiffe'
import { assembleGraph, type SidecarView } from './graph/assemble.ts'
import type { EdgeReport } from './graph/counters.ts'
import { createReports } from './graph/reports.ts'
import { type MeshView, readMesh } from './graph/resources.ts'
import { type LagReading, NO_LAG, type Watched } from './lag.ts'
import { createLive, type Live } from './live.ts'
import type { Decoded } from './otlp/draft.ts'
import { describeTrace, summarise } from './traces/describe.ts'
import { createTraceStore, DEFAULT_LIMITS } from './traces/store.ts'
import type { FaultView, Graph, MeshStatus, TraceJson, TraceSummary } from './types.ts'

export interface TelemetryOptions {
  readonly log: Log
  readonly metrics: Metrics
  /** The resources in force. A new array for each change: what is read from it is kept by reference. */
  readonly resources: () => readonly Resource[]
  readonly sidecars: () => readonly SidecarView[]
  /** `current` of `startLag`; without it no lag is shown. */
  readonly lag?: () => LagReading
  /** Version of the resources in force. */
  readonly version?: () => number
  /** Faults of the watched files. */
  readonly faults?: () => readonly FaultView[]
  /** Traces kept; default 1000. */
  readonly maxTraces?: number
  /** Spans kept of one trace; default 2000. */
  readonly maxSpansPerTrace?: number
}

interface TraceFilter {
  readonly limit: number
  readonly service?: string | undefined
  readonly topic?: string | undefined
}

/** Spans and counters of the whole mesh: the trace store, the service graph, and the stream that shows both live. */
export interface Telemetry {
  /** Takes the cumulative counters of one sidecar; the identity is that of its certificate. */
  report(identity: SpiffeId, workload: string, edges: readonly EdgeReport[]): void
  addSpans(decoded: Decoded): void
  traces(filter: TraceFilter): readonly TraceSummary[]
  trace(traceId: string): TraceJson | undefined
  graph(): Graph
  status(): MeshStatus
  /** Topics, and the groups that read them as far as they are known: what `startLag` has to look at. */
  consumers(): readonly Watched[]
  readonly live: Live
}

/** The page lists them; more faults than this are one mistake in many places. */
const MAX_FAULTS_SHOWN = 20

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const store = createTraceStore({
    ...DEFAULT_LIMITS,
    ...(options.maxTraces !== undefined && { maxTraces: options.maxTraces }),
    ...(options.maxSpansPerTrace !== undefined && { maxSpansPerTrace: options.maxSpansPerTrace }),
  })
  const mesh = rememberLast(options.resources, readMesh)
  const reports = createReports({ mesh, now: Date.now })
  const spansTotal = options.metrics.counter('weft_telemetry_spans_total')

  const graph = (): Graph =>
    assembleGraph({
      mesh: mesh(),
      sidecars: options.sidecars(),
      rates: reports.rates(options.sidecars()),
      lag: options.lag?.() ?? NO_LAG,
      nowMs: Date.now(),
    })
  const status = (): MeshStatus => describeStatus(options, mesh())
  const live = createLive({
    graph,
    status,
    summary: (traceId) => {
      const trace = store.get(traceId)
      return trace === undefined ? undefined : summarise(trace)
    },
  })

  return {
    report: (identity, workload, edges) => reports.report(identity, workload, edges),
    addSpans: ({ spans, rejected }) => {
      live.traceChanged(store.add(spans))
      spansTotal.inc({ outcome: 'received' }, spans.length)
      if (rejected === 0) return
      spansTotal.inc({ outcome: 'rejected' }, rejected)
      options.log.warn({ rejected, received: spans.length }, 'spans rejected')
    },
    traces: ({ limit, service, topic }) => {
      const found: TraceSummary[] = []
      for (const trace of store.list()) {
        if (found.length >= limit) break
        const summary = summarise(trace)
        if (service !== undefined && !summary.services.includes(service)) continue
        if (topic !== undefined && !summary.topics.includes(topic)) continue
        found.push(summary)
      }
      return found
    },
    trace: (traceId) => {
      const trace = store.get(traceId)
      return trace === undefined ? undefined : describeTrace(trace)
    },
    graph,
    status,
    consumers: () => watchedIn(graph()),
    live,
  }
}

function watchedIn({ nodes, edges }: Graph): readonly Watched[] {
  const read = edges.filter(({ kind }) => kind === 'consume')
  const dead = nodes.filter((node) => node.kind === 'topic' && node.deadLetterOf !== undefined)
  return [
    ...read.map(({ group, destination: topic }) => (group === undefined ? { topic } : { group, topic })),
    ...dead.map(({ name: topic }) => ({ topic })),
  ]
}

function describeStatus(options: TelemetryOptions, mesh: MeshView): MeshStatus {
  const sidecars = options.sidecars().filter((each) => each.connectedSince !== undefined)
  const known = new Set([...mesh.workloads.values()].flat())
  for (const each of sidecars) known.add(`${each.namespace}/${each.workload}`)
  const version = options.version?.()
  return {
    sidecars: { connected: sidecars.length, total: known.size },
    behind: sidecars
      .filter((each) => each.nack !== undefined || (each.ackedVersion ?? 0) < (each.sentVersion ?? 0))
      .map((each) => `${each.namespace}/${each.workload}`),
    ...(version !== undefined && { version }),
    faults: (options.faults?.() ?? []).slice(0, MAX_FAULTS_SHOWN),
  }
}

/** Computes again only when the input is another object. */
function rememberLast<Input extends object, Output>(
  read: () => Input,
  compute: (input: Input) => Output,
): () => Output {
  let last: { readonly input: Input; readonly output: Output } | undefined
  return () => {
    const input = read()
    if (last === undefined || last.input !== input) last = { input, output: compute(input) }
    return last.output
  }
}
