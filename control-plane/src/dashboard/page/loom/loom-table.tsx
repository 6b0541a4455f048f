import { words } from '../strings.ts'
import { type Facts, stateWord } from './fact-types.ts'
import { tracesOf } from './links.ts'

/** The picture's twin: the same facts in the same order, for whoever cannot or would not read a picture. */
export function LoomTable({ facts }: { readonly facts: Facts }) {
  return (
    <div class="tables">
      <Connections facts={facts} />
      <Nodes
        caption={words.services}
        items={facts.columns.map((column) => ({ ...column, href: tracesOf({ service: column.name }) }))}
      />
      <Nodes
        caption={words.topics}
        items={facts.rows.map((row) => ({ ...row, href: tracesOf({ topic: row.name }) }))}
      />
    </div>
  )
}

interface NodeItem {
  readonly name: string
  readonly detail: string
  readonly state: keyof typeof words.state
  readonly href: string
}

function Nodes({ caption, items }: { readonly caption: string; readonly items: readonly NodeItem[] }) {
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{words.columnName}</th>
          <th scope="col">{words.columnInstances}</th>
          <th scope="col">{words.columnState}</th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ name, detail, state, href }) => (
          <tr key={name}>
            <th scope="row">
              <a href={href}>{name}</a>
            </th>
            <td>{detail}</td>
            <td class={`state ${state}`}>{words.state[state]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface Line {
  readonly key: string
  readonly from: string
  readonly how: string
  readonly to: string
  readonly href: string
  readonly shown: string
  readonly groups: string
  readonly state: keyof typeof words.state
  readonly stateWord: string
}

function Connections({ facts }: { readonly facts: Facts }) {
  return (
    <table>
      <caption>{words.connections}</caption>
      <thead>
        <tr>
          <th scope="col">{words.columnFrom}</th>
          <th scope="col">{words.columnHow}</th>
          <th scope="col">{words.columnTo}</th>
          <th scope="col">{words.columnShown}</th>
          <th scope="col">{words.columnGroup}</th>
          <th scope="col">{words.columnState}</th>
        </tr>
      </thead>
      <tbody>
        {linesOf(facts).map((line) => (
          <tr key={line.key} data-key={line.key}>
            <th scope="row">{line.from}</th>
            <td>{line.how}</td>
            <td>
              <a href={line.href}>{line.to}</a>
            </td>
            <td class="shown">{line.shown}</td>
            <td class="group" data-label={words.columnGroup}>
              {line.groups}
            </td>
            <td class={`state ${line.state}`}>{line.stateWord}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function linesOf({ calls, knots }: Facts): readonly Line[] {
  return [
    ...calls.map((call) => ({
      key: call.key,
      from: call.source,
      how: words.calls,
      to: call.destination,
      href: tracesOf({ service: call.destination }),
      shown: call.label,
      groups: '',
      state: call.state,
      stateWord: stateWord(call.state, false),
    })),
    ...knots.map((knot) => ({
      key: knot.key,
      from: knot.service,
      how: HOW[knot.refused ? 'refused' : 'done'][knot.kind],
      to: knot.topic,
      href: tracesOf({ service: knot.service, topic: knot.topic }),
      shown: knot.label,
      groups: knot.groups.join(', '),
      state: knot.state,
      stateWord: stateWord(knot.state, knot.refused),
    })),
  ]
}

const HOW = {
  done: { produce: words.produces, consume: words.consumes },
  refused: { produce: words.refusedProduces, consume: words.refusedConsumes },
} as const
