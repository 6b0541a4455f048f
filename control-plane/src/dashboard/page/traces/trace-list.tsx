import type { TraceSummary } from '../../../telemetry/types.ts'
import { duration } from '../parts/format.ts'
import { Time } from '../parts/time.tsx'
import { traceWords, words } from '../strings.ts'

interface TraceListProps {
  /** Undefined while they are being read. */
  readonly traces: readonly TraceSummary[] | undefined
  /** The trace whose thread is shown on the loom. Absent: the list is on a page without a loom. */
  readonly lit?: string | undefined
  readonly filtered?: boolean
}

export function TraceList({ traces, lit, filtered = false }: TraceListProps) {
  if (traces === undefined) return <p class="empty">{words.loading}</p>
  if (traces.length === 0) return <Empty filtered={filtered} />
  return (
    <div class="scroll">
      <table class="traces">
        <thead>
          <tr>
            <th scope="col">{traceWords.time}</th>
            <th scope="col">{traceWords.root}</th>
            <th scope="col">{traceWords.services}</th>
            <th scope="col">{traceWords.topics}</th>
            <th scope="col" class="number">
              {traceWords.duration}
            </th>
            <th scope="col">{traceWords.status}</th>
            <th scope="col">{traceWords.thread}</th>
          </tr>
        </thead>
        <tbody>
          {traces.map((trace) => (
            <TraceRow key={trace.traceId} trace={trace} isLit={trace.traceId === lit} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

export const titleOf = (trace: TraceSummary): string => trace.rootTarget ?? trace.rootName

function TraceRow({ trace, isLit }: { readonly trace: TraceSummary; readonly isLit: boolean }) {
  const { traceId, services, topics, status } = trace
  return (
    <tr class={isLit ? 'lit' : ''}>
      <td>
        <Time unixMs={trace.startTimeUnixMs} />
      </td>
      <th scope="row">
        <a href={`/traces/${traceId}`}>{titleOf(trace)}</a>
        <small>{traceWords.spans(trace.spanCount)}</small>
      </th>
      <td class="services">{services.join(' → ') || words.none}</td>
      <td class="topics">{topics.join(', ') || words.none}</td>
      <td class="number">{duration(trace.durationMs)}</td>
      <td class={`state ${status === 'error' ? 'bad' : 'ok'}`}>{traceWords[status]}</td>
      <td>
        <a
          class="thread-link"
          href={isLit ? '/' : `/?trace=${traceId}`}
          aria-current={isLit ? 'true' : undefined}
        >
          <span class="hidden">{traceWords.showThread(titleOf(trace))}</span>
          <svg width="28" height="12" viewBox="0 0 28 12" aria-hidden="true">
            <path d="M2,6 C6,1 10,1 14,6 S22,11 26,6" />
          </svg>
        </a>
      </td>
    </tr>
  )
}

function Empty({ filtered }: { readonly filtered: boolean }) {
  if (filtered) return <p class="empty">{traceWords.emptyFiltered}</p>
  return (
    <p class="empty">
      <strong>{traceWords.emptyTitle}</strong> {traceWords.emptyNext}
    </p>
  )
}
