/** What the graph reads of the resources: which services, workloads and topics there should be, and who may touch what. */
import type {
  AccessPolicyResource,
  Kind,
  Resource,
  ResourceOfKind,
  ServiceResource,
  WorkloadResource,
} from '@weft/schemas/resources'
import type { GraphEdge } from '../types.ts'

export interface MeshView {
  readonly services: readonly string[]
  /** Workloads by the service that they are an instance of: names as `<namespace>/<workload>`. */
  readonly workloads: ReadonlyMap<string, readonly string[]>
  /** Service that a service account's sidecars serve; the account itself where there is none. */
  serviceOf(account: string): string
  readonly topics: ReadonlyMap<string, { readonly partitions: number }>
  readonly deadLetters: ReadonlyMap<string, { readonly topic: string; readonly group: string }>
  /** Edges that a resource permits or asks for. */
  readonly configured: readonly ConfiguredEdge[]
}

type ConfiguredEdge = Pick<GraphEdge, 'kind' | 'source' | 'destination' | 'group'>

export function readMesh(resources: readonly Resource[]): MeshView {
  const of = <K extends Kind>(kind: K): readonly ResourceOfKind<K>[] =>
    resources.filter((each): each is ResourceOfKind<K> => each.kind === kind)

  const { workloads, accounts } = instances(of('Service'), of('Workload'))
  const serviceOf = (account: string): string => accounts.get(account) ?? account
  const subscriptions = of('Subscription').map(({ spec }) => spec)
  return {
    services: of('Service').map(({ metadata }) => metadata.name),
    workloads,
    serviceOf,
    topics: new Map(of('Topic').map(({ spec }) => [spec.name, { partitions: spec.partitions }])),
    deadLetters: new Map(
      subscriptions.map(({ topic, group, deadLetterTopic }) => [deadLetterTopic, { topic, group }]),
    ),
    configured: [
      ...subscriptions.flatMap(({ topic, service, group, deadLetterTopic }): ConfiguredEdge[] => [
        { kind: 'consume', source: service, destination: topic, group },
        { kind: 'produce', source: service, destination: deadLetterTopic },
      ]),
      ...of('AccessPolicy').flatMap((policy) => permitted(policy, serviceOf)),
    ],
  }
}

function instances(
  services: readonly ServiceResource[],
  workloads: readonly WorkloadResource[],
): { workloads: Map<string, readonly string[]>; accounts: Map<string, string> } {
  const accounts = new Map<string, string>()
  const byService = new Map<string, readonly string[]>()
  for (const { metadata, spec } of services) {
    const selector = Object.entries(spec.selector)
    const selected = workloads.filter(
      (workload) =>
        workload.metadata.namespace === metadata.namespace &&
        selector.every(([label, value]) => workload.metadata.labels[label] === value),
    )
    const names = selected.map((workload) => `${workload.metadata.namespace}/${workload.metadata.name}`)
    byService.set(metadata.name, names)
    for (const workload of selected) accounts.set(workload.spec.serviceAccount, metadata.name)
  }
  return { workloads: byService, accounts }
}

/** Only what names one account and one target: patterns would draw a line from everything to everything. */
function permitted(
  { spec }: AccessPolicyResource,
  serviceOf: (account: string) => string,
): readonly ConfiguredEdge[] {
  const target = spec.target.service ?? spec.target.topic
  if (spec.action !== 'allow' || target === undefined || target.includes('*')) return []
  return spec.rules.flatMap((rule) =>
    (rule.from ?? []).flatMap(({ serviceAccount, anonymous }) => {
      const source = anonymous === true ? 'ingress' : serviceAccount && serviceOf(serviceAccount)
      if (source === undefined || source === target) return []
      return operationsOn(spec.target, rule.to).map((kind) => ({ kind, source, destination: target }))
    }),
  )
}

type Rule = AccessPolicyResource['spec']['rules'][number]

/** A rule without `to` permits everything, but nobody who wrote it thought of each operation: nothing is drawn. */
function operationsOn(
  target: AccessPolicyResource['spec']['target'],
  to: Rule['to'],
): readonly GraphEdge['kind'][] {
  if (target.service !== undefined) return ['http']
  const operations = new Set((to ?? []).flatMap(({ kafka }) => kafka?.operations ?? []))
  return (['produce', 'consume'] as const).filter((operation) => operations.has(operation))
}
