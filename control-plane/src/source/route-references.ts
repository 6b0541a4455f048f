/** What the routes of the Gateway API name: Services that are there, with the ports that they have. Pure. */
import {
  type BackendObjectReference,
  type FaultPath,
  type GRPCRouteResource,
  type HTTPRouteResource,
  type ParentReference,
  resourceKey,
  type ServiceResource,
} from '@weft/schemas/resources'
import type { Finding } from './references.ts'

type Route = GRPCRouteResource | HTTPRouteResource

/** Warnings, all of them: such a route holds with what remains of it, and answers 500 for a backend that is not there. */
export function routeFindings(
  routes: readonly Route[],
  services: readonly ServiceResource[],
): readonly Finding[] {
  const byName = new Map(services.map((service) => [nameOf(service.metadata), service]))
  const grpc = new Map(
    routes.flatMap((route) =>
      route.kind === 'GRPCRoute' ? claimsOf(route).map((claim) => [claim, route]) : [],
    ),
  )
  return routes.flatMap((route) => [
    ...route.spec.parentRefs.flatMap((parent, index) =>
      parentFindings(route, { parent, at: ['spec', 'parentRefs', index], byName }),
    ),
    ...backendFindings(route, byName),
    ...(route.kind === 'HTTPRoute' ? claimsOf(route) : []).flatMap((claim) => {
      const other = grpc.get(claim)
      return other === undefined ? [] : [overruled(route, claim, other)]
    }),
  ])
}

const nameOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`

/** What two kinds of route cannot share: a Service and port, for the callers that the route is for. */
const claimsOf = ({ spec, metadata }: Route): readonly string[] =>
  spec.parentRefs
    .filter(({ kind }) => kind === 'Service')
    .map((parent) => `${nameOf(parent)} port ${parent.port ?? 'any'} for callers of ${metadata.namespace}`)

function warning(route: Route, at: FaultPath, expected: string, came: string): Finding {
  return { key: resourceKey(route), severity: 'warning', at, expected, came }
}

interface ParentPlace {
  readonly parent: ParentReference
  readonly at: FaultPath
  readonly byName: ReadonlyMap<string, ServiceResource>
}

function parentFindings(route: Route, { parent, at, byName }: ParentPlace): readonly Finding[] {
  if (parent.kind !== 'Service') return []
  const service = byName.get(nameOf(parent))
  if (service === undefined)
    return [
      warning(
        route,
        [...at, 'name'],
        'the name of a Service that is defined',
        JSON.stringify(nameOf(parent)),
      ),
    ]
  const { ports } = service.spec
  if (parent.port !== undefined && !ports.some(({ port }) => port === parent.port))
    return [warning(route, [...at, 'port'], `a port of ${nameOf(parent)}`, String(parent.port))]
  if (parent.sectionName !== undefined && !ports.some(({ name }) => name === parent.sectionName))
    return [
      warning(
        route,
        [...at, 'sectionName'],
        `the name of a port of ${nameOf(parent)}`,
        JSON.stringify(parent.sectionName),
      ),
    ]
  return []
}

function backendFindings(route: Route, byName: ReadonlyMap<string, ServiceResource>): readonly Finding[] {
  return route.spec.rules.flatMap((rule, index) => {
    const at: FaultPath = ['spec', 'rules', index]
    const filters = [
      { list: rule.filters, place: [...at, 'filters'] },
      ...rule.backendRefs.map((backend, which) => ({
        list: backend.filters,
        place: [...at, 'backendRefs', which, 'filters'],
      })),
    ]
    const references: (readonly [BackendObjectReference, FaultPath])[] = [
      ...rule.backendRefs.map((backend, which) => [backend, [...at, 'backendRefs', which]] as const),
      ...filters.flatMap(({ list, place }) =>
        list.flatMap((filter, which) =>
          filter.type === 'RequestMirror'
            ? [[filter.requestMirror.backendRef, [...place, which, 'requestMirror', 'backendRef']] as const]
            : [],
        ),
      ),
    ]
    return references.flatMap(([reference, place]) => {
      const service = byName.get(nameOf(reference))
      if (service === undefined)
        return [
          warning(
            route,
            [...place, 'name'],
            'the name of a Service that is defined',
            JSON.stringify(nameOf(reference)),
          ),
        ]
      if (service.spec.ports.some(({ port }) => port === reference.port)) return []
      return [warning(route, [...place, 'port'], `a port of ${nameOf(reference)}`, String(reference.port))]
    })
  })
}

const overruled = (route: Route, claim: string, other: Route): Finding =>
  warning(
    route,
    ['spec', 'parentRefs'],
    'a Service and port that no GRPCRoute attaches to, since that kind goes first',
    `${claim}, which ${resourceKey(other)} has`,
  )
