import { computed, signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { ChangeVoice } from '../parts/change-voice.tsx'
import { PauseButton } from '../parts/pause-button.tsx'
import { type View, ViewSwitch } from '../parts/view-switch.tsx'
import { fetchTrace } from '../state/api.ts'
import { graph, traces } from '../state/live.ts'
import { traceWords, words } from '../strings.ts'
import { TraceList } from '../traces/trace-list.tsx'
import { factsOf } from './facts.ts'
import { Loom } from './loom.tsx'
import { LoomTable } from './loom-table.tsx'
import { threadOf } from './thread.ts'

const facts = computed(() => (graph.value === undefined ? undefined : factsOf(graph.value)))

/** A picture that has to be scrolled in two directions is no picture: a phone gets the table first. */
const view = signal<View>(window.matchMedia('(max-width: 640px)').matches ? 'table' : 'picture')

const RECENT = 20
const NO_THREAD: ReadonlySet<string> = new Set()

export function LoomPage() {
  const { query } = useLocation()
  const thread = useThread(query.trace)
  const now = facts.value
  useEffect(() => {
    document.title = `${words.graph} · ${words.brand}`
  }, [])
  return (
    <>
      <div class="title-row">
        <h1>
          {words.graph}{' '}
          {now !== undefined && (
            <small>
              {words.loomSize(now.columns.length + now.rows.length, now.calls.length + now.knots.length)}
            </small>
          )}
        </h1>
        <ViewSwitch view={view} />
        <PauseButton />
      </div>
      {now === undefined ? (
        <p class="empty">{words.loading}</p>
      ) : now.columns.length + now.rows.length === 0 ? (
        <EmptyLoom />
      ) : view.value === 'picture' ? (
        <Loom facts={now} thread={thread} />
      ) : (
        <LoomTable facts={now} />
      )}
      {now !== undefined && <ChangeVoice facts={now} />}
      <section aria-labelledby="recent">
        <div class="title-row">
          <h2 id="recent">{traceWords.recent}</h2>
          <a href="/traces">{traceWords.all}</a>
        </div>
        <TraceList traces={traces.value?.slice(0, RECENT)} lit={query.trace} />
      </section>
    </>
  )
}

/** The thread of the trace that `?trace=` names. */
function useThread(traceId: string | undefined): ReadonlySet<string> {
  const thread = useSignal(NO_THREAD)
  useEffect(() => {
    thread.value = NO_THREAD
    if (traceId === undefined) return
    const abort = new AbortController()
    fetchTrace(traceId, abort.signal).then(
      (trace) => {
        if (trace !== undefined) thread.value = threadOf(trace)
      },
      () => {
        // Gone, or the page moved on: the loom without a thread is right.
      },
    )
    return () => abort.abort()
  }, [traceId, thread])
  return thread.value
}

function EmptyLoom() {
  return (
    <div class="empty">
      <p>
        <strong>{words.emptyTitle}</strong> {words.emptyNext}
      </p>
      <pre>{words.emptyCommand}</pre>
      <p>{words.emptyOr}</p>
      <pre>{words.emptyCommandUp}</pre>
    </div>
  )
}
