/** Gateway → what the workload that serves it listens for. */
import {
  type GatewayResource,
  MAX_BODY_BYTES,
  MAX_HEAD_BYTES,
  type TrafficPolicyResource,
  type WorkloadResource,
} from '@weft/schemas/resources'
import type { GatewayEntry, GatewayListener } from '@weft/schemas/snapshot'
import type { ResolveBackend } from './routes/filters.ts'
import type { RouteResource } from './routes/rules.ts'
import { type Attachment, routeTable } from './routes/table.ts'

/** By which the Gateway API finds the workloads of a gateway (GEP-1762). */
const GATEWAY_NAME_LABEL = 'gateway.networking.k8s.io/gateway-name'

export interface Attaching {
  readonly routes: readonly RouteResource[]
  readonly resolve: ResolveBackend
  /** All of the mesh, in order of their names. */
  readonly trafficPolicies: readonly TrafficPolicyResource[]
}

/** The Gateway that a workload serves; undefined for every other workload. */
export function gatewayOf(
  { metadata }: WorkloadResource,
  gateways: readonly GatewayResource[],
): GatewayResource | undefined {
  const name = metadata.labels[GATEWAY_NAME_LABEL]
  return gateways.find(
    (gateway) => gateway.metadata.name === name && gateway.metadata.namespace === metadata.namespace,
  )
}

export function gatewayEntry(gateway: GatewayResource, attaching: Attaching): GatewayEntry {
  const { metadata, spec } = gateway
  const limits = attaching.trafficPolicies.find(
    (policy) =>
      policy.spec.target.gateway === metadata.name && policy.metadata.namespace === metadata.namespace,
  )?.spec.rateLimits
  const { [MAX_BODY_BYTES]: maxBodyBytes, [MAX_HEAD_BYTES]: maxHeadBytes } = spec.infrastructure.annotations
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    listeners: spec.listeners.map((listener) => listenerEntry(gateway, listener, attaching)),
    ...(maxBodyBytes !== undefined && { maxBodyBytes: Number(maxBodyBytes) }),
    ...(maxHeadBytes !== undefined && { maxHeadBytes: Number(maxHeadBytes) }),
    ...(limits !== undefined && { rateLimits: limits }),
  }
}

type Listener = GatewayResource['spec']['listeners'][number]

function listenerEntry(
  gateway: GatewayResource,
  listener: Listener,
  { routes, resolve }: Attaching,
): GatewayListener {
  const { name, port, hostname, tls } = listener
  const attached = routes.flatMap((route) => attachments(route, gateway, listener))
  const authorities = tls?.frontendValidation?.caCertificateRefs.map((reference) => reference.name)
  return {
    name,
    port,
    ...(hostname !== undefined && { hostname }),
    ...(tls !== undefined && {
      tls: {
        certificates: tls.certificateRefs.map((reference) => reference.name),
        ...(authorities !== undefined && { clientAuthorities: authorities }),
      },
    }),
    ...(attached.length > 0 && { routes: routeTable(attached, resolve) }),
  }
}

function attachments(
  route: RouteResource,
  gateway: GatewayResource,
  listener: Listener,
): readonly Attachment[] {
  const { name, namespace } = gateway.metadata
  if (listener.allowedRoutes.namespaces.from === 'Same' && route.metadata.namespace !== namespace) return []
  const refers = route.spec.parentRefs.some(
    (parent) =>
      parent.kind === 'Gateway' &&
      parent.name === name &&
      parent.namespace === namespace &&
      (parent.sectionName === undefined || parent.sectionName === listener.name) &&
      (parent.port === undefined || parent.port === listener.port),
  )
  if (!refers) return []
  const { hostnames } = route.spec
  if (hostnames === undefined || hostnames.length === 0) return [{ route }]
  const common = hostnames
    .map((hostname) => commonHost(hostname, listener.hostname))
    .filter((hostname) => hostname !== undefined)
  return common.length === 0 ? [] : [{ route, hostnames: common }]
}

/** Where the hosts of a route and of a listener meet: the more specific of the two. `*.a` is for names below a, not for a itself. */
export function commonHost(ofRoute: string, ofListener: string | undefined): string | undefined {
  if (ofListener === undefined || ofListener === ofRoute) return ofRoute
  if (covers(ofListener, ofRoute)) return ofRoute
  return covers(ofRoute, ofListener) ? ofListener : undefined
}

const covers = (pattern: string, host: string): boolean =>
  pattern.startsWith('*.') &&
  host.replace(/^\*\./, 'x.').endsWith(pattern.slice(1)) &&
  host.length > pattern.length - 1
