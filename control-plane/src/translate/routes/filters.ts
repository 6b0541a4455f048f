/** Filters of a rule or a backend, as a sidecar applies them. */
import { gatewayDurationMs } from '@weft/schemas/gateway-duration'
import type {
  BackendObjectReference,
  HeaderModifier,
  HTTPRouteFilter,
  PathModifier,
  SessionPersistence,
} from '@weft/schemas/resources'
import type {
  HeaderModification,
  Mirror,
  PathRewrite,
  RouteFilters,
  RouteSession,
} from '@weft/schemas/snapshot-routes'

/** `namespace/name` of the Service that a reference means; undefined where there is none, or none with that port. */
export type ResolveBackend = (reference: BackendObjectReference) => string | undefined

export interface FilterContext {
  readonly resolve: ResolveBackend
  /** The prefix that the one match of the rule names, for filters that replace it. */
  readonly prefix: string
}

export function routeFilters(filters: readonly HTTPRouteFilter[], context: FilterContext): RouteFilters {
  const mirrors = filters.flatMap((filter) => mirrorOf(filter, context.resolve))
  return Object.assign(
    {},
    ...filters.map((filter) => routeFilter(filter, context.prefix)),
    mirrors.length > 0 ? { mirrors } : {},
  ) as RouteFilters
}

function routeFilter(filter: HTTPRouteFilter, prefix: string): RouteFilters {
  switch (filter.type) {
    case 'RequestHeaderModifier':
      return { requestHeaders: modification(filter.requestHeaderModifier) }
    case 'ResponseHeaderModifier':
      return { responseHeaders: modification(filter.responseHeaderModifier) }
    case 'RequestRedirect': {
      const { statusCode, path, ...rest } = filter.requestRedirect
      return {
        redirect: {
          status: statusCode,
          ...rest,
          ...(path !== undefined && { path: pathRewrite(path, prefix) }),
        },
      }
    }
    case 'URLRewrite': {
      const { path, ...rest } = filter.urlRewrite
      return { rewrite: { ...rest, ...(path !== undefined && { path: pathRewrite(path, prefix) }) } }
    }
    case 'CORS': {
      const { maxAge, allowHeaders, exposeHeaders, ...rest } = filter.cors
      const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase())
      return {
        cors: {
          ...rest,
          allowHeaders: lower(allowHeaders),
          exposeHeaders: lower(exposeHeaders),
          maxAgeSeconds: maxAge,
        },
      }
    }
    case 'RequestMirror':
      return {}
  }
}

const modification = ({ set, add, remove }: HeaderModifier): HeaderModification => ({
  set: set.map(({ name, value }) => ({ name: name.toLowerCase(), value })),
  add: add.map(({ name, value }) => ({ name: name.toLowerCase(), value })),
  remove: remove.map((name) => name.toLowerCase()),
})

const pathRewrite = (modifier: PathModifier, prefix: string): PathRewrite =>
  modifier.type === 'ReplaceFullPath'
    ? { type: 'full', path: modifier.replaceFullPath }
    : { type: 'prefix', prefix, replacement: modifier.replacePrefixMatch }

/** A mirror of what is not there is left out, as the specification says. */
function mirrorOf(filter: HTTPRouteFilter, resolve: ResolveBackend): readonly Mirror[] {
  if (filter.type !== 'RequestMirror') return []
  const { backendRef, percent, fraction } = filter.requestMirror
  const service = resolve(backendRef)
  if (service === undefined) return []
  const share = fraction === undefined ? (percent ?? 100) / 100 : fraction.numerator / fraction.denominator
  return [{ service, share }]
}

/** `name` is what a cookie without name of its own is called after. */
export function routeSession(session: SessionPersistence, name: string): RouteSession {
  const { type, absoluteTimeout, cookie, header } = session
  return {
    type,
    name: header?.name.toLowerCase() ?? cookie?.name ?? `weft-${name.replace(/[^a-z0-9]+/g, '-')}`,
    path: cookie?.path ?? '/',
    isPermanent: cookie?.lifetimeType === 'Permanent',
    maxAgeSeconds: Math.ceil((gatewayDurationMs(absoluteTimeout) ?? 0) / 1000),
  }
}
