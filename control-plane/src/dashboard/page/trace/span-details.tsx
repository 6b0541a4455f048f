import type { Attributes, SpanJson } from '../../../telemetry/types.ts'
import { traceWords } from '../strings.ts'

/** All that a span says of itself. */
export function SpanDetails({ span }: { readonly span: SpanJson }) {
  const own: Attributes = {
    [traceWords.spanId]: span.spanId,
    [traceWords.kind]: span.kind,
    ...(span.peer !== undefined && { [traceWords.peer]: span.peer }),
    ...(span.statusMessage !== undefined && { [traceWords.status]: span.statusMessage }),
  }
  return (
    <div class="span-details">
      <AttributeTable caption={traceWords.attributes} attributes={{ ...own, ...span.attributes }} />
      {span.events.map((event) => (
        <AttributeTable
          key={`${event.timeUnixNano} ${event.name}`}
          caption={`${traceWords.events}: ${event.name}`}
          attributes={event.attributes}
        />
      ))}
    </div>
  )
}

function AttributeTable({
  caption,
  attributes,
}: {
  readonly caption: string
  readonly attributes: Attributes
}) {
  return (
    <table class="attributes">
      <caption>{caption}</caption>
      <thead class="hidden">
        <tr>
          <th scope="col">{traceWords.attribute}</th>
          <th scope="col">{traceWords.value}</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(attributes).map(([key, value]) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
