/** What the stream tells, as signals. One EventSource for the whole page; the browser connects again by itself. */
import { computed, signal } from '@preact/signals'
import type { Graph, MeshStatus, TraceSummary } from '../../../telemetry/types.ts'
import { fetchTraces } from './api.ts'

export const graph = signal<Graph | undefined>(undefined)
export const status = signal<MeshStatus | undefined>(undefined)
/** The newest first. */
export const traces = signal<readonly TraceSummary[] | undefined>(undefined)
export const connection = signal<'connecting' | 'open' | 'lost'>('connecting')
export const paused = signal(false)
/** Grows with each news of a trace: whoever shows one reads it again. */
export const traceNews = signal<{ readonly traceId: string; readonly at: number } | undefined>(undefined)

export const serviceNames = computed(() =>
  (graph.value?.nodes ?? []).filter((node) => node.kind === 'service').map((node) => node.name),
)
export const topicNames = computed(() =>
  (graph.value?.nodes ?? []).filter((node) => node.kind === 'topic').map((node) => node.name),
)

const MAX_TRACES = 100
/** The control plane sends a status every 5 s: three that do not come are a dead connection that nobody reset. */
const SILENCE_MS = 16_000

let source: EventSource | undefined
let watchdog: number | undefined
/** What came while the page was paused. */
let held: Graph | undefined

export function connect(): void {
  source?.close()
  const opened = new EventSource('/api/v1/stream')
  source = opened
  heard()
  opened.onopen = () => {
    connection.value = 'open'
    heard()
    loadTraces()
  }
  opened.onerror = () => {
    connection.value = 'lost'
    // CLOSED: the answer was no stream (503 while starting, say), and the browser gives up; we do not.
    if (opened.readyState === EventSource.CLOSED) watch(3000)
  }
  listen<Graph>(opened, 'graph', takeGraph)
  listen<MeshStatus>(opened, 'status', (next) => {
    status.value = next
  })
  listen<TraceSummary>(opened, 'trace', takeTrace)
}

export function togglePause(): void {
  paused.value = !paused.value
  if (paused.value) return
  if (held !== undefined) graph.value = held
  held = undefined
  loadTraces()
}

function listen<T>(from: EventSource, event: string, take: (data: T) => void): void {
  from.addEventListener(event, (message: MessageEvent<string>) => {
    heard()
    connection.value = 'open'
    take(JSON.parse(message.data) as T)
  })
}

function heard(): void {
  watch(SILENCE_MS)
}

function watch(ms: number): void {
  window.clearTimeout(watchdog)
  watchdog = window.setTimeout(() => {
    connection.value = 'lost'
    connect()
  }, ms)
}

function takeGraph(next: Graph): void {
  if (paused.value) held = next
  else graph.value = next
}

function takeTrace(next: TraceSummary): void {
  traceNews.value = { traceId: next.traceId, at: Date.now() }
  if (paused.value) return
  const others = (traces.value ?? []).filter((trace) => trace.traceId !== next.traceId)
  traces.value = newestFirst([next, ...others]).slice(0, MAX_TRACES)
}

/** By start; the server lists them by arrival. */
export const newestFirst = (items: readonly TraceSummary[]): readonly TraceSummary[] =>
  [...items].sort((a, b) => b.startTimeUnixMs - a.startTimeUnixMs)

function loadTraces(): void {
  fetchTraces({ limit: String(MAX_TRACES) }).then(
    (items) => {
      traces.value = newestFirst(items)
    },
    () => {
      // The stream says by itself when the control plane is away.
    },
  )
}
