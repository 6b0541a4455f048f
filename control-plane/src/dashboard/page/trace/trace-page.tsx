import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import type { TraceJson } from '../../../telemetry/types.ts'
import { duration } from '../parts/format.ts'
import { Time } from '../parts/time.tsx'
import { type View, ViewSwitch } from '../parts/view-switch.tsx'
import { traceWords, words } from '../strings.ts'
import { titleOf } from '../traces/trace-list.tsx'
import { CopyId } from './copy-id.tsx'
import { waterfallOf } from './rows.ts'
import { TraceTable } from './trace-table.tsx'
import { useTrace } from './use-trace.ts'
import { Waterfall } from './waterfall.tsx'

const view = signal<View>('picture')

export function TracePage() {
  const { id = '' } = useRoute().params as { readonly id?: string }
  const { trace, arriving } = useTrace(id)
  const isMissing = trace === null
  useEffect(() => {
    document.title = `${trace ? titleOf(trace) : traceWords.title} · ${words.brand}`
  }, [trace])
  return (
    <>
      <p class="back">
        <a href="/traces">← {traceWords.back}</a>
      </p>
      {trace ? (
        <Shown trace={trace} arriving={arriving} />
      ) : (
        <>
          <h1>{traceWords.title}</h1>
          <p class="empty">{isMissing ? traceWords.unknown : words.loading}</p>
        </>
      )}
    </>
  )
}

function Shown({ trace, arriving }: { readonly trace: TraceJson; readonly arriving: boolean }) {
  const waterfall = waterfallOf(trace)
  return (
    <>
      <div class="title-row">
        <h1>
          {titleOf(trace)} <small>{duration(trace.durationMs)}</small>
        </h1>
        <ViewSwitch view={view} />
        <a class="button quiet" href={`/?trace=${trace.traceId}`}>
          {traceWords.showOnLoom}
        </a>
      </div>
      <Summary trace={trace} arriving={arriving} />
      {view.value === 'picture' ? <Waterfall waterfall={waterfall} /> : <TraceTable rows={waterfall.rows} />}
    </>
  )
}

function Summary({ trace, arriving }: { readonly trace: TraceJson; readonly arriving: boolean }) {
  const { traceId, status, services, topics, spanCount, droppedSpans } = trace
  return (
    <dl class="summary">
      <Fact name={traceWords.title}>
        <CopyId traceId={traceId} />
      </Fact>
      <Fact name={traceWords.time}>
        <Time unixMs={trace.startTimeUnixMs} />
      </Fact>
      <Fact name={traceWords.status}>
        <span class={`state ${status === 'error' ? 'bad' : 'ok'}`}>{traceWords[status]}</span>
      </Fact>
      <Fact name={traceWords.services}>{services.join(' → ')}</Fact>
      <Fact name={traceWords.topics}>{topics.join(', ') || words.none}</Fact>
      <Fact name={traceWords.contents}>
        {traceWords.spans(spanCount)}
        {droppedSpans !== undefined && `, ${traceWords.dropped(droppedSpans)}`}
        <span role="status">{arriving ? `, ${traceWords.arriving}` : ''}</span>
      </Fact>
    </dl>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
