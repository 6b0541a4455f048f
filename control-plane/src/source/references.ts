/**
 * What can only be judged over all resources together: names that nobody has, and two that claim the same thing.
 * An error keeps a resource (or the part of it) from having effect, a warning does not. Pure.
 */
import type {
  AccessPolicyResource,
  ExternalServiceResource,
  FaultPath,
  Resource,
  ResourceOfKind,
  ServiceResource,
  SubscriptionResource,
  TrafficPolicyResource,
  WorkloadResource,
} from '@weft/schemas/resources'
import { resourceKey } from '@weft/schemas/resources'
import { routeFindings } from './route-references.ts'

export interface Finding {
  readonly key: string
  readonly severity: 'error' | 'warning'
  readonly at: FaultPath
  readonly expected: string
  readonly came: string
}

/** All findings; the order of `resources` says which of two is the later one, at which the fault is. */
export function checkReferences(resources: readonly Resource[]): readonly Finding[] {
  const of = <K extends Resource['kind']>(kind: K) =>
    resources.filter((resource): resource is ResourceOfKind<K> => resource.kind === kind)
  const services = of('Service')
  const serviceNames = new Set(services.map((service) => nameOf(service)))
  const providers = new Set(of('JwtProvider').map((provider) => nameOf(provider)))
  const gatewayNames = new Set(of('Gateway').map((gateway) => nameOf(gateway)))
  const externals = of('ExternalService')
  const externalNames = new Set(externals.map((external) => nameOf(external)))
  const topics = of('Topic')
  const subscriptions = of('Subscription')
  const topicNames = new Set([
    ...topics.map((topic) => topic.spec.name),
    ...subscriptions.map((subscription) => subscription.spec.deadLetterTopic),
  ])
  const findings: Finding[] = []

  for (const subscription of subscriptions)
    findings.push(...subscriptionFindings(subscription, topicNames, serviceNames))
  for (const policy of of('AccessPolicy')) {
    const { service, topic, externalService, gateway } = policy.spec.target
    if (gateway !== undefined && !gatewayNames.has(`${policy.metadata.namespace}/${gateway}`))
      findings.push(unknown(policy, 'warning', ['spec', 'target', 'gateway'], 'Gateway', gateway))
    if (
      externalService !== undefined &&
      !externalNames.has(`${policy.metadata.namespace}/${externalService}`)
    )
      findings.push(
        unknown(policy, 'warning', ['spec', 'target', 'externalService'], 'ExternalService', externalService),
      )
    if (service !== undefined && !serviceNames.has(`${policy.metadata.namespace}/${service}`))
      findings.push(unknown(policy, 'warning', ['spec', 'target', 'service'], 'Service', service))
    if (topic !== undefined && !/[*$]/.test(topic) && !topicNames.has(topic))
      findings.push(unknown(policy, 'warning', ['spec', 'target', 'topic'], 'Topic', topic))
    for (const provider of providerNames(policy.spec.rules))
      if (!providers.has(`${policy.metadata.namespace}/${provider}`))
        findings.push(unknown(policy, 'warning', ['spec', 'rules'], 'JwtProvider', provider))
  }
  const trafficPolicies = of('TrafficPolicy')
  for (const policy of trafficPolicies) {
    const { service, gateway } = policy.spec.target
    if (gateway !== undefined && !gatewayNames.has(`${policy.metadata.namespace}/${gateway}`))
      findings.push(unknown(policy, 'warning', ['spec', 'target', 'gateway'], 'Gateway', gateway))
    const name = `${policy.metadata.namespace}/${service}`
    if (service !== undefined && !serviceNames.has(name) && !externalNames.has(name))
      findings.push(unknown(policy, 'warning', ['spec', 'target', 'service'], 'Service', service))
  }
  findings.push(
    ...repeated(
      inOrderOfName(trafficPolicies),
      ['spec', 'target'],
      trafficTargetOf,
      'a target of its own: what two policies of one target say has no order',
    ),
    ...repeated(topics, ['spec', 'name'], (topic) => topic.spec.name, 'a Kafka name of its own'),
    ...repeated(
      subscriptions,
      ['spec', 'group'],
      ({ spec }) => `${spec.group} on topic ${spec.topic}`,
      'a group of its own for this topic: members of one group share its records',
    ),
    ...repeatedHosts(externals),
    ...selectorFindings(services, of('Workload')),
    ...routeFindings([...of('GRPCRoute'), ...of('HTTPRoute')], services),
    ...addressFindings(services),
  )
  return findings
}

/** Workloads of the service's namespace that have all labels of its selector. */
export function selects(service: ServiceResource, workload: WorkloadResource): boolean {
  if (service.metadata.namespace !== workload.metadata.namespace) return false
  const { labels } = workload.metadata
  return Object.entries(service.spec.selector).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  )
}

const nameOf = (resource: Resource): string => `${resource.metadata.namespace}/${resource.metadata.name}`

function trafficTargetOf({ metadata: { namespace }, spec: { target } }: TrafficPolicyResource): string {
  if (target.mesh === true) return 'the mesh'
  if (target.gateway !== undefined) return `gateway ${namespace}/${target.gateway}`
  return target.namespace === true ? `namespace ${namespace}` : `service ${namespace}/${target.service}`
}

/** Of two that claim one host and port the one whose name comes first has it; the other one has no effect there. */
function repeatedHosts(externals: readonly ExternalServiceResource[]): readonly Finding[] {
  const owners = new Map<string, string>()
  return inOrderOfName(externals).flatMap((external) =>
    external.spec.hosts.flatMap((host, index) =>
      external.spec.ports.flatMap(({ port }) => {
        const claim = `${host}:${port}`
        const owner = owners.get(claim)
        owners.set(claim, owner ?? resourceKey(external))
        if (owner === undefined) return []
        const at = ['spec', 'hosts', index]
        const came = `${claim}, which ${owner} has`
        return [
          { key: resourceKey(external), severity: 'error', at, expected: 'a host and port of its own', came },
        ]
      }),
    ),
  )
}

function subscriptionFindings(
  subscription: SubscriptionResource,
  topicNames: ReadonlySet<string>,
  serviceNames: ReadonlySet<string>,
): readonly Finding[] {
  const { topic, service } = subscription.spec
  const findings: Finding[] = []
  if (!topicNames.has(topic)) findings.push(unknown(subscription, 'error', ['spec', 'topic'], 'Topic', topic))
  if (!serviceNames.has(`${subscription.metadata.namespace}/${service}`))
    findings.push(unknown(subscription, 'error', ['spec', 'service'], 'Service', service))
  return findings
}

const unknown = (
  resource: Resource,
  severity: Finding['severity'],
  at: FaultPath,
  kind: string,
  name: string,
): Finding => ({
  key: resourceKey(resource),
  severity,
  at,
  expected: `the name of a ${kind} that is defined`,
  came: JSON.stringify(name),
})

function repeated<R extends Resource>(
  resources: readonly R[],
  at: FaultPath,
  claimOf: (resource: R) => string,
  expected: string,
): readonly Finding[] {
  const owners = new Map<string, R>()
  const findings: Finding[] = []
  for (const resource of resources) {
    const claim = claimOf(resource)
    const owner = owners.get(claim)
    if (owner === undefined) owners.set(claim, resource)
    else
      findings.push({
        key: resourceKey(resource),
        severity: 'error',
        at,
        expected,
        came: `${claim}, which ${resourceKey(owner)} has`,
      })
  }
  return findings
}

/** A sidecar answers for one service: which policies hold for a request must not depend on the name it came by. */
function selectorFindings(
  services: readonly ServiceResource[],
  workloads: readonly WorkloadResource[],
): readonly Finding[] {
  const ordered = inOrderOfName(services)
  const findings = new Map<ServiceResource, Finding>()
  for (const workload of workloads) {
    const [first, ...later] = ordered.filter((service) => selects(service, workload))
    for (const service of later)
      findings.set(service, {
        key: resourceKey(service),
        severity: 'error',
        at: ['spec', 'selector'],
        expected: 'workloads that no other Service selects',
        came: `${nameOf(workload)}, which belongs to ${first === undefined ? 'another' : resourceKey(first)}`,
      })
  }
  return [...findings.values()]
}

/** Every provider that a rule asks for, as it is written there. */
export const providerNames = (rules: AccessPolicyResource['spec']['rules']): readonly string[] =>
  rules.flatMap(({ from = [] }) => from.flatMap(({ jwt }) => (jwt === undefined ? [] : [jwt.provider])))

/** `address:port` → the first service, in the order of names, that claims it. */
export function addressOwners(services: readonly ServiceResource[]): ReadonlyMap<string, ServiceResource> {
  const owners = new Map<string, ServiceResource>()
  for (const service of inOrderOfName(services))
    for (const authority of addressesOf(service)) if (!owners.has(authority)) owners.set(authority, service)
  return owners
}

/** `address:port` of every address and port, in the one form in which they are compared. */
export const addressesOf = ({ spec }: ServiceResource): readonly string[] =>
  (spec.addresses ?? []).flatMap((address) => {
    const host = address.includes(':') ? new URL(`http://[${address}]/`).hostname : address
    return spec.ports.map(({ port }) => `${host}:${port}`)
  })

function addressFindings(services: readonly ServiceResource[]): readonly Finding[] {
  const owners = addressOwners(services)
  return services.flatMap((service) =>
    addressesOf(service)
      .filter((authority) => owners.get(authority) !== service)
      .map((authority) => ({
        key: resourceKey(service),
        severity: 'error',
        at: ['spec', 'addresses'],
        expected: 'an address and port that no other Service has',
        came: `${authority}, which belongs to ${nameOf(owners.get(authority) ?? service)}`,
      })),
  )
}

/** By namespace and name, in code points: the same on every machine. */
export function inOrderOfName<R extends Resource>(resources: readonly R[]): readonly R[] {
  return resources.toSorted((a, b) => {
    const [left, right] = [nameOf(a), nameOf(b)]
    return left < right ? -1 : left > right ? 1 : 0
  })
}
