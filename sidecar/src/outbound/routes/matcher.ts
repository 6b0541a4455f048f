/**
 * Finds the match that decides for a request. The table says the order; the index only saves looking at all of it:
 *
 *     host ──▶ paths ─┬─ exact:       path            → candidates
 *                     ├─ prefixes:    /a, /a/b, …     → candidates     (one look-up for each element of the path)
 *                     └─ expressions: candidates                       (one after another)
 *
 * Of all candidates that hold the one that stands first in the table wins. Lists are in the order of the table, so a
 * list is left at the first candidate that holds, or that comes after what has been found already.
 */
import { normalisePath } from '@weft/schemas/policy'
import type { RouteMatch, RouteTable } from '@weft/schemas/snapshot-routes'
import type { RequestHead } from '../../transport/exchange.ts'
import { hostOf } from './authority.ts'
import { type Condition, conditionsOf, RoutedRequest } from './conditions.ts'
import { expression } from './expression.ts'

interface Candidate {
  /** Place in the table. */
  readonly rank: number
  readonly match: RouteMatch
  readonly conditions: readonly Condition[]
}

/** Longer than any host name of DNS: not worth looking up label by label. */
const MAX_HOST_LENGTH = 255

/** Depends on nothing but the table: callers below a Service and below a Gateway use it alike. */
export class RouteMatcher {
  readonly #byHost = new Map<string, PathIndex>()
  readonly #anyHost = new PathIndex()

  constructor({ matches }: RouteTable) {
    for (const [rank, match] of matches.entries())
      this.#indexOf(match.hostname).add({ rank, match, conditions: conditionsOf(match) })
  }

  /** The match that decides; undefined where none holds. */
  find(head: RequestHead): RouteMatch | undefined {
    const request = new RoutedRequest(head)
    const path = pathOf(head.target)
    let best = this.#anyHost.find(path, request, undefined)
    if (this.#byHost.size === 0) return best?.match
    const host = hostOf(head.authority)
    if (host.length > MAX_HOST_LENGTH) return best?.match
    best = this.#byHost.get(host)?.find(path, request, best) ?? best
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1))
      best = this.#byHost.get(`*${host.slice(dot)}`)?.find(path, request, best) ?? best
    return best?.match
  }

  #indexOf(hostname: string | undefined): PathIndex {
    if (hostname === undefined) return this.#anyHost
    let index = this.#byHost.get(hostname)
    if (index === undefined) {
      index = new PathIndex()
      this.#byHost.set(hostname, index)
    }
    return index
  }
}

class PathIndex {
  readonly #exact = new Map<string, Candidate[]>()
  readonly #prefixes = new Map<string, Candidate[]>()
  readonly #expressions: Candidate[] = []
  /** Elements of the longest prefix: a path of a thousand elements costs no more look-ups than that. */
  #maxElements = 0

  add(candidate: Candidate): void {
    const { type, value } = candidate.match.path
    if (type === 'RegularExpression') {
      const matches = expression(value)
      const onPath: Condition = ({ head }) => matches(pathOf(head.target))
      this.#expressions.push({ ...candidate, conditions: [onPath, ...candidate.conditions] })
      return
    }
    const map = type === 'Exact' ? this.#exact : this.#prefixes
    const list = map.get(value) ?? []
    list.push(candidate)
    map.set(value, list)
    if (type === 'PathPrefix' && value !== '/')
      this.#maxElements = Math.max(this.#maxElements, value.split('/').length - 1)
  }

  /** The candidate that holds and stands before `best`, else `best`. */
  find(path: string, request: RoutedRequest, best: Candidate | undefined): Candidate | undefined {
    let found = firstOf(this.#exact.get(path), request, best)
    found = firstOf(this.#prefixes.get('/'), request, found)
    for (let elements = 0, end = 0; elements < this.#maxElements && end < path.length; elements++) {
      const next = path.indexOf('/', end + 1)
      end = next === -1 ? path.length : next
      found = firstOf(this.#prefixes.get(path.slice(0, end)), request, found)
    }
    return firstOf(this.#expressions, request, found)
  }
}

function firstOf(
  candidates: readonly Candidate[] | undefined,
  request: RoutedRequest,
  best: Candidate | undefined,
): Candidate | undefined {
  if (candidates === undefined) return best
  for (const candidate of candidates) {
    if (best !== undefined && candidate.rank > best.rank) return best
    if (candidate.conditions.every((holds) => holds(request))) return candidate
  }
  return best
}

/** In its normal form, which is the one that access is decided by; as it came where it has none. */
function pathOf(target: string): string {
  const end = target.indexOf('?')
  const path = end === -1 ? target : target.slice(0, end)
  // `OPTIONS *` is about the server as a whole.
  return path === '*' ? '/' : (normalisePath(path) ?? path)
}
