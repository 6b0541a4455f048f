/**
 * Rates from counters. Each sidecar reports what it has counted since it started; the difference to its last
 * report goes into the bucket of the current second, and a rate is the sum of the last buckets.
 */
import type { Counts, GraphEdge } from '../types.ts'

/** What a sidecar reports of one edge: `Edge` of schemas/proto/weft/config/v1, whose 64-bit counters are bigints. */
export interface EdgeReport {
  readonly kind: string
  readonly source: string
  readonly destination: string
  readonly group: string
  /** Every attempt, the failed and refused ones too. */
  readonly total: bigint | number
  readonly failed: bigint | number
  readonly refused: bigint | number
  readonly durationSeconds: number
}

export interface EdgeName {
  readonly kind: GraphEdge['kind']
  readonly source: string
  readonly destination: string
  readonly group?: string
}

/** The moving part of a GraphEdge. */
export type EdgeRates = Omit<GraphEdge, keyof EdgeName | 'lag' | 'configured'>

export interface EdgeCounters {
  /** Takes the cumulative counters of one sidecar. `baseline`: they are of before our time, so no rate follows from them. */
  report(sidecar: string, edge: EdgeName, cumulative: Cumulative, baseline: boolean): void
  /** Forgets sidecars; an edge that none is left to report goes with the last one. */
  keep(isKnown: (sidecar: string) => boolean): void
  rates(): readonly { readonly name: EdgeName; readonly rates: EdgeRates }[]
}

interface Cumulative extends Counts {
  readonly seconds: number
}

const WINDOW_SECONDS = 60
const RATE_SECONDS = 10
/** Services times topics of a large mesh. Beyond it new edges are not shown; names come from certificates and resources. */
const MAX_EDGES = 10_000

interface Bucket {
  second: number
  total: number
  failed: number
  refused: number
  seconds: number
}

interface EdgeState {
  readonly name: EdgeName
  /** Last cumulative counters by sidecar. */
  readonly sidecars: Map<string, Cumulative>
  /** One for each second of the window, by second modulo its length. */
  readonly buckets: Bucket[]
  total: number
  refusedTotal: number
  refusing: boolean
}

/** `now` in milliseconds. */
export function createEdgeCounters(now: () => number): EdgeCounters {
  const edges = new Map<string, EdgeState>()

  const stateOf = (name: EdgeName): EdgeState | undefined => {
    const key = JSON.stringify([name.kind, name.source, name.destination, name.group])
    const known = edges.get(key)
    if (known !== undefined || edges.size >= MAX_EDGES) return known
    const state = { name, sidecars: new Map(), buckets: [], total: 0, refusedTotal: 0, refusing: false }
    edges.set(key, state)
    return state
  }

  return {
    report: (sidecar, name, cumulative, baseline) => {
      const state = stateOf(name)
      if (state === undefined) return
      const grown = difference(cumulative, state.sidecars.get(sidecar))
      state.sidecars.set(sidecar, cumulative)
      state.total += grown.total
      state.refusedTotal += grown.refused
      if (baseline || grown.total === 0) return
      // Some of both in one report: what came last is not known, and a refusal is what somebody should see.
      state.refusing = grown.refused > 0
      addTo(bucketOf(state, Math.floor(now() / 1000)), grown)
    },
    keep: (isKnown) => {
      for (const [key, state] of edges) {
        for (const sidecar of state.sidecars.keys()) if (!isKnown(sidecar)) state.sidecars.delete(sidecar)
        if (state.sidecars.size === 0) edges.delete(key)
      }
    },
    rates: () => {
      const second = Math.floor(now() / 1000)
      return [...edges.values()].map((state) => ({ name: state.name, rates: ratesOf(state, second) }))
    },
  }
}

/** A counter that went down is of a new process: all that it shows is new. */
function difference(next: Cumulative, last: Cumulative | undefined): Cumulative {
  const restarted =
    last === undefined ||
    next.total < last.total ||
    next.failed < last.failed ||
    next.refused < last.refused ||
    next.seconds < last.seconds
  if (restarted) return next
  return {
    total: next.total - last.total,
    failed: next.failed - last.failed,
    refused: next.refused - last.refused,
    seconds: next.seconds - last.seconds,
  }
}

function bucketOf(state: EdgeState, second: number): Bucket {
  const index = second % WINDOW_SECONDS
  const known = state.buckets[index]
  if (known !== undefined && known.second === second) return known
  const bucket = { second, total: 0, failed: 0, refused: 0, seconds: 0 }
  state.buckets[index] = bucket
  return bucket
}

function addTo(bucket: Bucket, grown: Cumulative): void {
  bucket.total += grown.total
  bucket.failed += grown.failed
  bucket.refused += grown.refused
  bucket.seconds += grown.seconds
}

function ratesOf(state: EdgeState, second: number): EdgeRates {
  // Nobody has reported in this second yet: counted with it, a steady rate would dip each second.
  const end = state.buckets[second % WINDOW_SECONDS]?.second === second ? second : second - 1
  const recent = sum(state.buckets, end - RATE_SECONDS)
  const minute = sum(state.buckets, second - WINDOW_SECONDS)
  const meanMs = meanOf(recent) ?? meanOf(minute)
  return {
    ratePerSecond: recent.total / RATE_SECONDS,
    failedPerSecond: recent.failed / RATE_SECONDS,
    refusedPerSecond: recent.refused / RATE_SECONDS,
    lastMinute: { total: minute.total, failed: minute.failed, refused: minute.refused },
    total: state.total,
    refusedTotal: state.refusedTotal,
    ...(state.refusing && minute.refused > 0 && { refusing: true }),
    ...(meanMs !== undefined && { meanMs }),
  }
}

/** Of the buckets that lie after the given second. */
function sum(buckets: readonly (Bucket | undefined)[], after: number): Bucket {
  const result = { second: 0, total: 0, failed: 0, refused: 0, seconds: 0 }
  for (const bucket of buckets) if (bucket !== undefined && bucket.second > after) addTo(result, bucket)
  return result
}

const meanOf = (bucket: Bucket): number | undefined =>
  bucket.total > 0 && bucket.seconds > 0 ? (bucket.seconds / bucket.total) * 1000 : undefined
