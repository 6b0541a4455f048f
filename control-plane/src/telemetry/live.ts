/** What goes into the stream, and when. Timers run only while somebody looks. */
import type { ServerResponse } from 'node:http'
import { createStreamHub } from './stream.ts'
import type { Graph, MeshStatus, TraceSummary } from './types.ts'

export interface LiveOptions {
  readonly graph: () => Graph
  readonly status: () => MeshStatus
  /** Undefined for a trace that has gone since. */
  readonly summary: (traceId: string) => TraceSummary | undefined
}

export interface Live {
  open(response: ServerResponse): boolean
  traceChanged(traceIds: ReadonlySet<string>): void
  close(): void
  readonly clients: number
}

/** Sidecars report once a second: more often there is nothing new. */
const TICK_MS = 1000
/** The status is sent this often even when it has not changed: the page knows by it that the connection lives. */
const HEARTBEAT_MS = 5000
/** Under a flood of traces a page gets a sample: nobody reads a thousand rows a second. */
const MAX_TRACES_PER_TICK = 50

export function createLive(options: LiveOptions): Live {
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let lastGraph = ''
  let lastStatus = ''
  let statusSentAt = 0

  const tick = (): void => {
    const graph = JSON.stringify(options.graph())
    // The time in it differs always; what is drawn from it does not.
    const drawn = graph.slice(graph.indexOf('"nodes"'))
    if (drawn !== lastGraph) hub.send('graph', graph)
    lastGraph = drawn

    const status = JSON.stringify(options.status())
    if (status !== lastStatus || Date.now() - statusSentAt >= HEARTBEAT_MS) {
      hub.send('status', status)
      statusSentAt = Date.now()
    }
    lastStatus = status

    for (const traceId of [...changed].slice(-MAX_TRACES_PER_TICK)) {
      const summary = options.summary(traceId)
      if (summary !== undefined) hub.send('trace', JSON.stringify(summary))
    }
    changed.clear()
  }

  const hub = createStreamHub({
    greeting: () => [
      ['graph', JSON.stringify(options.graph())],
      ['status', JSON.stringify(options.status())],
    ],
    onBusy: (busy) => {
      clearInterval(timer)
      changed.clear()
      if (busy) timer = setInterval(tick, TICK_MS).unref()
    },
  })

  return {
    open: (response) => hub.open(response),
    traceChanged: (traceIds) => {
      if (hub.size === 0) return
      for (const traceId of traceIds) {
        // The newest change counts: an id that is there already moves to the end.
        changed.delete(traceId)
        changed.add(traceId)
      }
    },
    close: () => hub.close(),
    get clients() {
      return hub.size
    },
  }
}
