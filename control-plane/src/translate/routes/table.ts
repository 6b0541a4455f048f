/** All routes that attach to one parent, as one table. */
import type { Resource, ServiceResource } from '@weft/schemas/resources'
import type { RouteMatch, RouteRule, RouteTable } from '@weft/schemas/snapshot-routes'
import { inOrderOfName } from '../../source/references.ts'
import { ofKind } from '../mesh.ts'
import type { ResolveBackend } from './filters.ts'
import { inOrderOfPrecedence, type RankedMatch } from './precedence.ts'
import { type RouteResource, routeName, rulesOf } from './rules.ts'

/** One route as it attaches to a parent: for all of its hosts and ports, or for some. */
export interface Attachment {
  readonly route: RouteResource
  /** Absent: any host. Below a Gateway: where hosts of route and listener meet. */
  readonly hostnames?: readonly string[]
  /** Absent: any port. */
  readonly ports?: readonly number[]
}

/** Routes in the order in which equals precede: files have no age, so by name. */
export const routesOf = (resources: readonly Resource[]): readonly RouteResource[] => [
  ...inOrderOfName(ofKind(resources, 'GRPCRoute')),
  ...inOrderOfName(ofKind(resources, 'HTTPRoute')),
]

/** `attachments` in the order of `routesOf`. */
export function routeTable(attachments: readonly Attachment[], resolve: ResolveBackend): RouteTable {
  const rules: RouteRule[] = []
  const ranked: RankedMatch[] = []
  for (const { route, hostnames = [undefined], ports = [undefined] } of attachments)
    for (const { rule, ranked: rankedAt } of rulesOf(route, resolve)) {
      const place = rules.push(rule) - 1
      for (const hostname of hostnames)
        for (const port of ports) ranked.push(...rankedAt(placed(place, hostname, port)))
    }
  return {
    routes: [...new Set(attachments.map(({ route }) => routeName(route)))],
    matches: inOrderOfPrecedence(ranked),
    rules,
  }
}

const placed = (
  rule: number,
  hostname: string | undefined,
  port: number | undefined,
): Pick<RouteMatch, 'rule' | 'hostname' | 'port'> => ({
  rule,
  ...(hostname !== undefined && { hostname }),
  ...(port !== undefined && { port }),
})

/** Finds the Service of a reference among these. A port that the Service does not have is a reference to nothing. */
export function backendResolver(services: readonly ServiceResource[]): ResolveBackend {
  const byName = new Map(services.map((service) => [nameOf(service), service]))
  return ({ namespace, name, port }) => {
    const service = byName.get(`${namespace}/${name}`)
    return service?.spec.ports.some((known) => known.port === port) === true ? nameOf(service) : undefined
  }
}

const nameOf = ({ metadata }: ServiceResource): string => `${metadata.namespace}/${metadata.name}`
