/** The routes of one parent as a Service: match → filters → mirror → session → split → backend. The order is argued here, once. */
import { MeshError } from '@weft/schemas/error'
import type { RouteBackend, RouteFilters, RouteRule, RouteTable } from '@weft/schemas/snapshot-routes'
import type { RequestHead, Service } from '../../transport/exchange.ts'
import type { LiveEndpoint } from '../endpoint.ts'
import { cors } from './cors.ts'
import { modifyRequestHeaders, modifyResponseHeaders } from './header-modifier.ts'
import { RouteMatcher } from './matcher.ts'
import { type MirrorBudget, mirror } from './mirror.ts'
import { redirect, type Scheme } from './redirect.ts'
import { rewrite } from './rewrite.ts'
import { persistSessions } from './session.ts'
import { refusing, split } from './split.ts'

/** What stands behind a route: one service of the snapshot. */
export interface Backend {
  readonly service: Service
  readonly endpoints: readonly LiveEndpoint[]
}

export interface RouteOptions {
  /** By `namespace/name`: the stack from retry down to the endpoint, with what the rule says of timeouts and retries. */
  readonly backend: (service: string, rule: RouteRule) => Backend
  /** The same for a copy of a request, which is never repeated. */
  readonly mirror: (service: string) => Service
  readonly mirrors: MirrorBudget
  /** By which requests come. */
  readonly scheme: Scheme
}

/** Throws `no_route` for a request that no rule matches: a service that has routes answers to nothing else. */
export function followRoutes(table: RouteTable, options: RouteOptions): Service {
  const matcher = new RouteMatcher(table)
  const rules = table.rules.map((rule) => followRule(rule, options))
  return {
    call(head, response) {
      const match = matcher.find(head)
      const rule = match === undefined ? undefined : rules[match.rule]
      if (rule === undefined) throw noRoute(table, head)
      return rule.call(head, response)
    },
  }
}

function noRoute(table: RouteTable, { method, authority, target }: RequestHead): MeshError {
  const path = target.split('?', 1)[0] ?? target
  return new MeshError(
    'no_route',
    `expected a request that a rule of ${table.routes.join(', ')} matches; ${method} ${path} matches none of ${table.rules.length}`,
    { target: authority },
  )
}

function followRule(rule: RouteRule, options: RouteOptions): Service {
  const { filters, session } = rule
  // A redirect is an answer: nothing stands behind it.
  if (filters.redirect !== undefined) return cors(redirect(filters.redirect, options.scheme), filters.cors)
  const backends = rule.backends.map((backend) => followBackend(backend, rule, options))
  // By weight, anew for each request; all attempts of it stay with one backend, whose own retries they are.
  const chosen = split(backends, rule.name)
  // Above the choice, which it takes away from requests that come back.
  const persisted =
    session === undefined
      ? chosen
      : persistSessions(chosen, { settings: session, backends, isSecure: options.scheme === 'https' })
  // Above the backend's own filters and below the rule's: the copy is the request as the rule made it.
  const mirrored = (filters.mirrors ?? []).reduce<Service>(
    (inner, { service, share }) =>
      mirror(inner, { service: options.mirror(service), name: service, share }, options.mirrors),
    persisted,
  )
  const modified = modify(mirrored, filters)
  // Outermost: a preflight is answered whatever the rule does to requests.
  return cors(modified, filters.cors)
}

/** Request and answer as one set of filters wants them. Of different things, so their order is of no consequence. */
function modify(inner: Service, filters: RouteFilters): Service {
  const rewritten = rewrite(inner, filters.rewrite)
  return modifyResponseHeaders(
    modifyRequestHeaders(rewritten, filters.requestHeaders),
    filters.responseHeaders,
  )
}

function followBackend(backend: RouteBackend, rule: RouteRule, options: RouteOptions) {
  const { service: name, filters, weight } = backend
  if (filters.redirect !== undefined)
    return { name: backend.name, weight, endpoints: [], service: redirect(filters.redirect, options.scheme) }
  if (name === undefined) {
    const message = `expected a backend that is there; ${rule.name} names ${backend.name}, which is not`
    return { name: backend.name, weight, endpoints: [], service: refusing(message, backend.name) }
  }
  const { service, endpoints } = options.backend(name, rule)
  return { name, weight, endpoints, service: modify(service, filters) }
}
