/** What a match asks of a request beside its path, compiled once: each condition is one function. */
import type { FieldMatch, RouteMatch } from '@weft/schemas/snapshot-routes'
import type { RequestHead } from '../../transport/exchange.ts'
import { portOf } from './authority.ts'
import { expression } from './expression.ts'

/** What a URL without a port means. */
const HTTP_PORT = 80

/** One request while its route is looked for: what several conditions need is worked out once. */
export class RoutedRequest {
  readonly head: RequestHead
  #query: ReadonlyMap<string, string> | undefined
  #port: number | undefined

  constructor(head: RequestHead) {
    this.head = head
  }

  get port(): number {
    this.#port ??= portOf(this.head.authority, HTTP_PORT)
    return this.#port
  }

  /** Decoded; of a parameter that stands twice the first, as the Gateway API recommends. */
  get query(): ReadonlyMap<string, string> {
    this.#query ??= parseQuery(this.head.target)
    return this.#query
  }
}

export type Condition = (request: RoutedRequest) => boolean

/** In the order of their cost. */
export function conditionsOf({ port, method, headers, queryParams }: RouteMatch): readonly Condition[] {
  const conditions: Condition[] = []
  if (port !== undefined) conditions.push((request) => request.port === port)
  if (method !== undefined) conditions.push(({ head }) => head.method === method)
  for (const match of headers) {
    const holds = valueTest(match)
    conditions.push(({ head }) => holds(fieldText(head, match.name)))
  }
  for (const match of queryParams) {
    const holds = valueTest(match)
    conditions.push(({ query }) => holds(query.get(match.name)))
  }
  return conditions
}

function valueTest({ type, value }: FieldMatch): (found: string | undefined) => boolean {
  if (type === 'Exact') return (found) => found === value
  const matches = expression(value)
  return (found) => found !== undefined && matches(found)
}

/** The value of a field; of several, one list (RFC 9110, section 5.3), which for cookies goes by semicolons. */
function fieldText({ fields, authority }: RequestHead, name: string): string | undefined {
  if (name === 'host') return authority
  let text: string | undefined
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== name) continue
    const value = fields[at + 1] ?? ''
    text = text === undefined ? value : `${text}${name === 'cookie' ? '; ' : ','}${value}`
  }
  return text
}

function parseQuery(target: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>()
  const from = target.indexOf('?')
  if (from === -1) return query
  for (const [name, value] of new URLSearchParams(target.slice(from + 1)))
    if (!query.has(name)) query.set(name, value)
  return query
}
