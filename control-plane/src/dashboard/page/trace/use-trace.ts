import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { TraceJson } from '../../../telemetry/types.ts'
import { fetchTrace } from '../state/api.ts'
import { traceNews } from '../state/live.ts'

/** Sidecars send their spans twice a second: after this long without news nothing more is on its way. */
const QUIET_MS = 3000

interface TraceState {
  /** Undefined while it is read, null where there is none. */
  readonly trace: TraceJson | null | undefined
  readonly arriving: boolean
}

/** A trace, read again whenever the stream says that it has grown. */
export function useTrace(traceId: string): TraceState {
  const state = useSignal<TraceState>({ trace: undefined, arriving: false })
  const news = traceNews.value
  const newest = news?.traceId === traceId ? news.at : undefined

  useEffect(() => {
    const abort = new AbortController()
    fetchTrace(traceId, abort.signal).then(
      (trace) => {
        state.value = { trace: trace ?? null, arriving: newest !== undefined }
      },
      () => {
        // The control plane is away, and the banner says so: what was read stays.
      },
    )
    const quiet = window.setTimeout(() => {
      state.value = { ...state.value, arriving: false }
    }, QUIET_MS)
    return () => {
      abort.abort()
      window.clearTimeout(quiet)
    }
  }, [traceId, newest, state])

  return state.value
}
