/** Which routes the callers of a Service follow (GEP-1294, "Namespace boundaries" and "Route type specificity"). */
import type { ParentReference, ServiceResource } from '@weft/schemas/resources'
import type { RouteTable } from '@weft/schemas/snapshot-routes'
import type { ResolveBackend } from './filters.ts'
import type { RouteResource } from './rules.ts'
import { type Attachment, routeTable } from './table.ts'

/**
 * The table for callers of one namespace; undefined where no route attaches. Routes of the callers' own namespace
 * (consumer routes) come before those of the Service's (producer routes); those of any other namespace do not count.
 */
export function serviceRoutes(
  service: ServiceResource,
  callerNamespace: string,
  { routes, resolve }: { readonly routes: readonly RouteResource[]; readonly resolve: ResolveBackend },
): RouteTable | undefined {
  const attached = (namespace: string) =>
    oneKindPerPort(
      routes
        .filter(({ metadata }) => metadata.namespace === namespace)
        .flatMap((route) => attachments(route, service)),
      service,
    )
  const consumer = attached(callerNamespace)
  const attachedRoutes = consumer.length > 0 ? consumer : attached(service.metadata.namespace)
  return attachedRoutes.length === 0 ? undefined : routeTable(attachedRoutes, resolve)
}

/** Hostnames are passed over: below a Service they have no meaning. Each parent reference attaches by itself. */
function attachments(route: RouteResource, service: ServiceResource): readonly Attachment[] {
  const references = route.spec.parentRefs.filter((parent) => refersTo(parent, service))
  const ports = references.map((parent) => portsOf(parent, service))
  if (ports.length === 0) return []
  if (ports.includes(undefined)) return [{ route }]
  const named = [...new Set(ports.flatMap((some) => some ?? []))]
  return named.length === 0 ? [] : [{ route, ports: named }]
}

const refersTo = ({ kind, namespace, name }: ParentReference, { metadata }: ServiceResource): boolean =>
  kind === 'Service' && namespace === metadata.namespace && name === metadata.name

/** Undefined: all. A port or a name that the Service does not have: none. */
function portsOf({ port, sectionName }: ParentReference, service: ServiceResource): number[] | undefined {
  if (port === undefined && sectionName === undefined) return undefined
  return service.spec.ports
    .filter((known) => port === undefined || known.port === port)
    .filter((known) => sectionName === undefined || known.name === sectionName)
    .map((known) => known.port)
}

/** Routes of two kinds do not mix on one port: GRPCRoute goes before HTTPRoute. */
function oneKindPerPort(attached: readonly Attachment[], service: ServiceResource): readonly Attachment[] {
  const grpc = attached.filter(({ route }) => route.kind === 'GRPCRoute')
  if (grpc.length === 0 || grpc.length === attached.length) return attached
  const taken = new Set(grpc.flatMap(({ ports }) => ports ?? allPorts(service)))
  const others = attached.flatMap(({ route, ports = allPorts(service) }) => {
    if (route.kind === 'GRPCRoute') return []
    const free = ports.filter((port) => !taken.has(port))
    return free.length === 0 ? [] : [{ route, ports: free }]
  })
  return [...grpc, ...others]
}

const allPorts = ({ spec }: ServiceResource): readonly number[] => spec.ports.map(({ port }) => port)
