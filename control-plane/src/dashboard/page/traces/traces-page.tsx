import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { TraceSummary } from '../../../telemetry/types.ts'
import { tracesOf } from '../loom/links.ts'
import { PauseButton } from '../parts/pause-button.tsx'
import { fetchTraces } from '../state/api.ts'
import { newestFirst, serviceNames, topicNames, traces } from '../state/live.ts'
import { traceWords, words } from '../strings.ts'
import { TraceList } from './trace-list.tsx'

export function TracesPage() {
  const { query, route } = useLocation()
  const { service = '', topic = '' } = query
  const shown = useFiltered(service, topic)
  useEffect(() => {
    document.title = `${words.traces} · ${words.brand}`
  }, [])
  const choose = (next: { service: string; topic: string }): void =>
    route(
      tracesOf({
        ...(next.service !== '' && { service: next.service }),
        ...(next.topic !== '' && { topic: next.topic }),
      }),
    )
  return (
    <>
      <div class="title-row">
        <h1>{words.traces}</h1>
        <Choice
          label={traceWords.filterService}
          value={service}
          options={serviceNames.value}
          onChoose={(value) => choose({ service: value, topic })}
        />
        <Choice
          label={traceWords.filterTopic}
          value={topic}
          options={topicNames.value}
          onChoose={(value) => choose({ service, topic: value })}
        />
        <PauseButton />
      </div>
      <TraceList traces={shown} filtered={service !== '' || topic !== ''} />
    </>
  )
}

/** What the server has with this filter, and again when the stream has news. */
function useFiltered(service: string, topic: string): readonly TraceSummary[] | undefined {
  const found = useSignal<readonly TraceSummary[] | undefined>(undefined)
  const news = traces.value
  useEffect(() => {
    let current = true
    const filter = { ...(service !== '' && { service }), ...(topic !== '' && { topic }) }
    fetchTraces({ limit: '200', ...filter }).then(
      (items) => {
        if (current) found.value = newestFirst(items)
      },
      () => {
        // The banner says that the control plane is away; what was found stays.
      },
    )
    return () => {
      current = false
    }
  }, [service, topic, news, found])
  return found.value
}

interface ChoiceProps {
  readonly label: string
  readonly value: string
  readonly options: readonly string[]
  readonly onChoose: (value: string) => void
}

function Choice({ label, value, options, onChoose }: ChoiceProps) {
  // A name from a link may be one that the graph does not show any more.
  const all = value === '' || options.includes(value) ? options : [value, ...options]
  return (
    <label class="choice">
      {label}{' '}
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{traceWords.any}</option>
        {all.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
