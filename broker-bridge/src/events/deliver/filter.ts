/** Passes over the records that a subscription is not about. */
import { createRequire } from 'node:module'
import { fromKafka } from '@weft/schemas/cloudevents'
import type { EventFilter } from '@weft/schemas/event-filter'
import type { ReadRecord } from './record.ts'

const require = createRequire(import.meta.url)
/** By expression. Filters of subscriptions that are gone are few. */
const compiled = new Map<string, EventFilter>()

/** Throws where the expression cannot be read, which the control plane has seen to. */
export function isWanted(filter: string | undefined, record: ReadRecord): boolean {
  if (filter === undefined) return true
  let matches = compiled.get(filter)
  if (matches === undefined) {
    matches = compile(filter)
    compiled.set(filter, matches)
  }
  const { event, rest } = fromKafka(record.headers, EMPTY)
  return matches({
    event: new Map(event.kind === 'cloudevent' ? Object.entries(event.attributes) : []),
    headers: new Map(rest.map(([name, value]) => [name, Buffer.from(value).toString('utf8')])),
    key: record.key?.toString('utf8') ?? '',
  })
}

const EMPTY = new Uint8Array()

/** Loaded by the first filter: most sidecars have none. */
const compile = (expression: string): EventFilter =>
  (require('@weft/schemas/event-filter') as typeof import('@weft/schemas/event-filter')).compileFilter(
    expression,
  )
