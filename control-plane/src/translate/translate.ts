/** Resources → what one sidecar needs to know of them. Pure: same resources, same snapshot, letter by letter. */
import {
  type ExternalServiceResource,
  type GatewayResource,
  type JwtProviderResource,
  type MeshSpec,
  type Resource,
  redriveTopic,
  type ServicePort,
  type ServiceResource,
  type SubscriptionResource,
  type TopicResource,
  type TrafficPolicyResource,
  type WorkloadResource,
} from '@weft/schemas/resources'
import {
  type Endpoint,
  type ServiceEntry,
  type Snapshot,
  type SubscriptionEntry,
  ZONE_LABEL,
} from '@weft/schemas/snapshot'
import { type SpiffeId, spiffeId } from '@weft/schemas/spiffe'
import { addressOwners, inOrderOfName, selects } from '../source/references.ts'
import { externalServices } from './external-services.ts'
import { gatewayEntry, gatewayOf } from './gateway.ts'
import { hostsOf } from './hosts.ts'
import { providersFor } from './jwt-providers.ts'
import { meshOf, ofKind } from './mesh.ts'
import { namedPolicies, policiesFor } from './policies.ts'
import type { ResolveBackend } from './routes/filters.ts'
import type { RouteResource } from './routes/rules.ts'
import { serviceRoutes } from './routes/service-routes.ts'
import { backendResolver, routesOf } from './routes/table.ts'
import { nothingRegistered, retryTopicsOf, type SchemaLookup, topicEntries } from './topics.ts'
import { type ServiceTraffic, trafficOf } from './traffic.ts'

/** Who asks: the identity is proven by its certificate, the workload name is only its word. */
export interface Receiver {
  readonly identity: SpiffeId
  readonly workload: string
}

/** The parts of a snapshot that are the same for every sidecar of the mesh; made once per change. */
export interface MeshFacts {
  readonly trustDomain: string
  readonly services: readonly ServiceResource[]
  readonly workloads: readonly WorkloadResource[]
  readonly endpoints: ReadonlyMap<ServiceResource, readonly Endpoint[]>
  readonly traffic: ReadonlyMap<ServiceResource, ServiceTraffic>
  readonly addressOwners: ReturnType<typeof addressOwners>
  readonly policies: ReturnType<typeof namedPolicies>
  readonly topics: Snapshot['topics']
  readonly subscriptions: readonly SubscriptionResource[]
  readonly jwtProviders: readonly JwtProviderResource[]
  readonly routes: readonly RouteResource[]
  readonly resolveBackend: ResolveBackend
  readonly gateways: readonly GatewayResource[]
  readonly externals: readonly ExternalServiceResource[]
  readonly trafficPolicies: readonly TrafficPolicyResource[]
  readonly mesh: MeshSpec
}

/** The snapshot of one sidecar, without its version. */
export function translate(
  resources: readonly Resource[],
  trustDomain: string,
  receiver: Receiver,
  schemaOf: SchemaLookup = nothingRegistered,
): Omit<Snapshot, 'version'> {
  return snapshotOf(meshFacts(resources, trustDomain, schemaOf), receiver)
}

/** Everything that does not depend on who asks. */
export function meshFacts(
  resources: readonly Resource[],
  trustDomain: string,
  schemaOf: SchemaLookup,
  isPaused: (subscription: SubscriptionResource) => boolean = () => false,
): MeshFacts {
  const services = inOrderOfName(ofKind(resources, 'Service'))
  const workloads = inOrderOfName(ofKind(resources, 'Workload'))
  const subscriptions = effective(ofKind(resources, 'Subscription'), ofKind(resources, 'Topic'))
  const endpoints = new Map<ServiceResource, Endpoint[]>(services.map((service) => [service, []]))
  for (const workload of workloads) {
    const service = services.find((candidate) => selects(candidate, workload))
    if (service !== undefined) endpoints.get(service)?.push(endpointOf(workload, trustDomain))
  }
  const trafficPolicies = inOrderOfName(ofKind(resources, 'TrafficPolicy'))
  return {
    trustDomain,
    services,
    workloads,
    endpoints,
    traffic: new Map(services.map((service) => [service, trafficOf(trafficPolicies, service)])),
    addressOwners: addressOwners(services),
    policies: namedPolicies(ofKind(resources, 'AccessPolicy')),
    topics: topicEntries(ofKind(resources, 'Topic'), subscriptions, schemaOf),
    subscriptions: subscriptions.filter((subscription) => !isPaused(subscription)),
    jwtProviders: ofKind(resources, 'JwtProvider'),
    routes: routesOf(resources),
    resolveBackend: backendResolver(services),
    gateways: ofKind(resources, 'Gateway'),
    externals: ofKind(resources, 'ExternalService'),
    trafficPolicies,
    mesh: meshOf(resources),
  }
}

/** The snapshot of one sidecar from what is common to all. */
export function snapshotOf(facts: MeshFacts, receiver: Receiver): Omit<Snapshot, 'version'> {
  const { identity } = receiver
  const workload = provenWorkload(facts, receiver)
  const service = workload && facts.services.find((candidate) => selects(candidate, workload))
  const policies = policiesFor(facts.policies, service)
  const { kafka, defaultAction, mtls, egress, tracing } = facts.mesh
  const zone = workload?.metadata.labels[ZONE_LABEL]
  const gateway = workload && gatewayOf(workload, facts.gateways)
  const inbound = service && trafficOfService(facts, service).inbound
  const tcpPorts = service?.spec.ports.filter(isTcp) ?? []
  return {
    trustDomain: facts.trustDomain,
    workload: {
      identity: identity.uri,
      namespace: identity.namespace,
      ...(service !== undefined && { service: service.metadata.name }),
      ...(zone !== undefined && zone !== '' && { zone }),
      ...(service !== undefined && speaksHttp2(service) && { appProtocol: 'http2' }),
      ...(tcpPorts.length > 0 && {
        tcpPorts: tcpPorts.map(({ port, targetPort = port }) => ({ port, appPort: targetPort })),
      }),
    },
    defaultAction,
    ...(mtls === 'permissive' && { mtls }),
    samplingRatio: tracing.samplingRatio,
    ...(kafka !== undefined && {
      kafka: { bootstrapServers: kafka.bootstrapServers, security: kafka.security },
    }),
    services: servicesFor(facts, identity.namespace),
    ...(egress === 'allowAll' && { egress }),
    policies,
    jwtProviders: providersFor(policies, facts.jwtProviders),
    topics: facts.topics,
    subscriptions: service === undefined ? [] : subscriptionsOf(facts, service),
    ...(gateway !== undefined && {
      gateway: gatewayEntry(gateway, {
        routes: facts.routes,
        resolve: facts.resolveBackend,
        trafficPolicies: facts.trafficPolicies,
      }),
    }),
    ...(inbound !== undefined && { inbound }),
  }
}

function trafficOfService({ traffic }: MeshFacts, service: ServiceResource): ServiceTraffic {
  return traffic.get(service) ?? trafficOf([], service)
}

/** The Workload that the receiver says it is, if it is that of its certificate; otherwise it is told nothing of that workload. */
export function provenWorkload(
  facts: MeshFacts,
  { identity, workload }: Receiver,
): WorkloadResource | undefined {
  if (identity.trustDomain !== facts.trustDomain) return undefined
  return facts.workloads.find(
    ({ metadata, spec }) =>
      metadata.name === workload &&
      metadata.namespace === identity.namespace &&
      spec.serviceAccount === identity.serviceAccount,
  )
}

function endpointOf({ metadata, spec }: WorkloadResource, trustDomain: string): Endpoint {
  return {
    address: spec.address,
    port: spec.inboundPort,
    identity: spiffeId(trustDomain, metadata.namespace, spec.serviceAccount).uri,
    labels: metadata.labels,
    ...(spec.weight !== undefined && { weight: spec.weight }),
  }
}

const isTcp = ({ protocol }: ServicePort): boolean => protocol === 'tcp'

function servicesFor(facts: MeshFacts, callerNamespace: string): readonly ServiceEntry[] {
  const services = facts.services.map((entry) => serviceEntry(entry, facts, callerNamespace))
  const taken = new Set(services.flatMap(({ hosts }) => hosts))
  return [...services, ...externalServices(facts.externals, facts.trafficPolicies, taken)]
}

function serviceEntry(service: ServiceResource, facts: MeshFacts, namespace: string): ServiceEntry {
  const routes = serviceRoutes(service, namespace, { routes: facts.routes, resolve: facts.resolveBackend })
  const tcpPorts = service.spec.ports.filter(isTcp).map(({ port }) => port)
  return {
    name: service.metadata.name,
    namespace: service.metadata.namespace,
    hosts: hostsOf(service, namespace, facts.addressOwners),
    endpoints: facts.endpoints.get(service) ?? [],
    traffic: trafficOfService(facts, service).outbound,
    ...(routes !== undefined && { routes }),
    ...(tcpPorts.length > 0 && { tcpPorts }),
  }
}

/** One app stands behind all ports of a Service, so one word for HTTP/2 is enough. */
const speaksHttp2 = ({ spec }: ServiceResource): boolean =>
  spec.ports.some(({ protocol }) => protocol === 'http2' || protocol === 'grpc')

/** Those whose topic exists: delivery from an unknown one cannot work. Of two that claim one group on one topic, the first. */
function effective(
  subscriptions: readonly SubscriptionResource[],
  topics: readonly TopicResource[],
): readonly SubscriptionResource[] {
  const names = new Set(topics.map((topic) => topic.spec.name))
  for (const { spec } of subscriptions) names.add(spec.deadLetterTopic)
  const claims = new Set<string>()
  return subscriptions.filter(({ spec }) => {
    const claim = `${spec.topic} ${spec.group}`
    if (!names.has(spec.topic) || claims.has(claim)) return false
    claims.add(claim)
    return true
  })
}

function subscriptionsOf(facts: MeshFacts, service: ServiceResource): readonly SubscriptionEntry[] {
  return inOrderOfName(facts.subscriptions)
    .filter(
      ({ metadata, spec }) =>
        spec.service === service.metadata.name && metadata.namespace === service.metadata.namespace,
    )
    .map(({ metadata, spec }) => {
      const { service: _service, retry, ...entry } = spec
      const { laterMs: _laterMs, ...attempts } = retry
      const retryTopics = retryTopicsOf(spec)
      return {
        name: metadata.name,
        ...entry,
        retry: attempts,
        redriveTopic: redriveTopic(spec.topic, spec.group),
        ...(retryTopics.length > 0 && { retryTopics }),
      }
    })
}
