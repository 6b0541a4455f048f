import { duration } from '../parts/format.ts'
import { traceWords } from '../strings.ts'
import type { WaterfallRow } from './rows.ts'

/** The waterfall's twin. */
export function TraceTable({ rows }: { readonly rows: readonly WaterfallRow[] }) {
  return (
    <div class="scroll">
      <table class="spans">
        <thead>
          <tr>
            <th scope="col">{traceWords.name}</th>
            <th scope="col">{traceWords.service}</th>
            <th scope="col">{traceWords.kind}</th>
            <th scope="col" class="number">
              {traceWords.start}
            </th>
            <th scope="col" class="number">
              {traceWords.duration}
            </th>
            <th scope="col">{traceWords.status}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Line key={row.kind === 'span' ? row.span.spanId : `wait ${row.wait.toSpanId}`} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Line({ row }: { readonly row: WaterfallRow }) {
  const isSpan = row.kind === 'span'
  const durationMs = isSpan ? row.span.durationMs : row.wait.waitMs
  const failed = isSpan && row.span.status === 'error'
  return (
    <tr class={row.kind}>
      <th scope="row">
        {isSpan ? row.span.name : traceWords.waited(duration(row.wait.waitMs), row.wait.topic)}
      </th>
      <td>{isSpan ? row.span.service : ''}</td>
      <td>{isSpan ? row.span.kind : traceWords.wait}</td>
      <td class="number">+{duration(row.startMs)}</td>
      <td class="number">{duration(durationMs)}</td>
      <td class={`state ${failed ? 'bad' : 'ok'}`}>{isSpan ? traceWords[row.span.status] : ''}</td>
    </tr>
  )
}
