/** The rules of one route, with what each of its matches says and where it stands among others. */
import { gatewayDurationMs } from '@weft/schemas/gateway-duration'
import type {
  BackendRef,
  GRPCRouteMatch,
  GRPCRouteResource,
  HTTPRouteFilter,
  HTTPRouteMatch,
  HTTPRouteResource,
  StringMatch,
} from '@weft/schemas/resources'
import type {
  FieldMatch,
  PathMatch,
  RouteBackend,
  RouteMatch,
  RouteRule,
} from '@weft/schemas/snapshot-routes'
import { type FilterContext, type ResolveBackend, routeFilters, routeSession } from './filters.ts'
import { grpcRank, httpRank, type RankedMatch } from './precedence.ts'

export type RouteResource = HTTPRouteResource | GRPCRouteResource

/** A match before it knows its rule, port and host. */
type Matched = Omit<RouteMatch, 'rule'>

interface RuleOfRoute {
  readonly rule: RouteRule
  /** For one of the hosts that the route is for. */
  ranked(place: Pick<RouteMatch, 'rule' | 'port' | 'hostname'>): readonly RankedMatch[]
}

/** `HTTPRoute default/reviews`: a route in words. */
export const routeName = ({ kind, metadata }: RouteResource): string =>
  `${kind} ${metadata.namespace}/${metadata.name}`

export const rulesOf = (route: RouteResource, resolve: ResolveBackend): readonly RuleOfRoute[] =>
  route.kind === 'HTTPRoute' ? httpRules(route, resolve) : grpcRules(route, resolve)

function httpRules(route: HTTPRouteResource, resolve: ResolveBackend): readonly RuleOfRoute[] {
  return route.spec.rules.map((rule, index) => {
    const prefix = rule.matches[0]?.path.value ?? '/'
    const { timeouts, retry } = rule
    const requestTimeoutMs = gatewayDurationMs(timeouts?.request)
    const attemptTimeoutMs = gatewayDurationMs(timeouts?.backendRequest)
    const backoffMs = gatewayDurationMs(retry?.backoff)
    return {
      rule: {
        ...commonParts(route, index, { resolve, prefix: withoutEndSlash(prefix) }),
        ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
        ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs }),
        ...(retry !== undefined && {
          retry: {
            statusCodes: retry.codes,
            ...(retry.attempts !== undefined && { attempts: retry.attempts }),
            ...(backoffMs !== undefined && { backoffMs }),
          },
        }),
      },
      ranked: (place) =>
        rule.matches.map((written) => {
          const match = { ...place, ...httpMatch(written) }
          return { match, rank: httpRank(match) }
        }),
    }
  })
}

function grpcRules(route: GRPCRouteResource, resolve: ResolveBackend): readonly RuleOfRoute[] {
  return route.spec.rules.map((rule, index) => ({
    rule: commonParts(route, index, { resolve, prefix: '/' }),
    ranked: (place) =>
      rule.matches.map((written) => {
        const match = { ...place, ...grpcMatch(written) }
        return { match, rank: grpcRank(match, written.method) }
      }),
  }))
}

/** What rules of both kinds have. */
function commonParts(route: RouteResource, index: number, context: FilterContext): RouteRule {
  const rule = route.spec.rules[index]
  const { sessionPersistence } = rule ?? {}
  return {
    name: `${routeName(route)} rule ${rule?.name ?? index}`,
    filters: routeFilters(rule?.filters ?? [], context),
    backends: (rule?.backendRefs ?? []).map((backend) => routeBackend(backend, context)),
    ...(sessionPersistence !== undefined && {
      session: routeSession(sessionPersistence, `${route.metadata.name}-${index}`),
    }),
  }
}

function routeBackend(backend: BackendRef<HTTPRouteFilter>, context: FilterContext): RouteBackend {
  const { kind, namespace, name, port, weight } = backend
  const service = context.resolve(backend)
  return {
    ...(service !== undefined && { service }),
    name: `${kind} ${namespace}/${name}:${port}`,
    weight,
    filters: routeFilters(backend.filters, context),
  }
}

const httpMatch = ({ path, method, headers, queryParams }: HTTPRouteMatch): Matched => ({
  path: path.type === 'PathPrefix' ? { type: path.type, value: withoutEndSlash(path.value) } : path,
  ...(method !== undefined && { method }),
  headers: fieldMatches(headers, (name) => name.toLowerCase()),
  queryParams: fieldMatches(queryParams, (name) => name),
})

const grpcMatch = ({ method, headers }: GRPCRouteMatch): Matched => ({
  path: grpcPath(method),
  headers: fieldMatches(headers, (name) => name.toLowerCase()),
  queryParams: [],
})

/** The path of a gRPC call is `/package.Service/Method`. */
function grpcPath(method: GRPCRouteMatch['method']): PathMatch {
  if (method === undefined) return { type: 'PathPrefix', value: '/' }
  if (method.type === 'Exact' && method.service !== undefined)
    return method.method === undefined
      ? { type: 'PathPrefix', value: `/${method.service}` }
      : { type: 'Exact', value: `/${method.service}/${method.method}` }
  const part = (text: string | undefined): string =>
    text === undefined ? '[^/]+' : method.type === 'Exact' ? text.replaceAll('.', '\\.') : `(?:${text})`
  return { type: 'RegularExpression', value: `/${part(method.service)}/${part(method.method)}` }
}

/** Of two entries with one name the first counts, as the specification says. */
function fieldMatches(
  matches: readonly StringMatch[],
  spelled: (name: string) => string,
): readonly FieldMatch[] {
  const byName = new Map<string, FieldMatch>()
  for (const { type, name, value } of matches) {
    const key = spelled(name)
    if (!byName.has(key)) byName.set(key, { type, name: key, value })
  }
  return [...byName.values()]
}

/** `/a/` and `/a` are one prefix: it goes by elements. */
const withoutEndSlash = (path: string): string =>
  path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
