import type { PolicyIndex } from '@weft/schemas/policy'
import {
  DEFAULT_MTLS,
  DEFAULT_SAMPLING_RATIO,
  type MeshSpec,
  type Resource,
  type ResourceOfKind,
} from '@weft/schemas/resources'
import { namedPolicies } from './policies.ts'
import { type WantedTopic, wantedTopics } from './topics.ts'

/** What holds until somebody writes a Mesh resource: the safe answer to every question. */
const NO_MESH: MeshSpec = {
  defaultAction: 'deny',
  mtls: DEFAULT_MTLS,
  egress: 'registryOnly',
  tracing: { samplingRatio: DEFAULT_SAMPLING_RATIO },
}

/** Resources of one kind. */
export function ofKind<K extends Resource['kind']>(
  resources: readonly Resource[],
  kind: K,
): readonly ResourceOfKind<K>[] {
  return resources.filter((resource): resource is ResourceOfKind<K> => resource.kind === kind)
}

/** What holds for the whole mesh. */
export const meshOf = (resources: readonly Resource[]): MeshSpec =>
  ofKind(resources, 'Mesh')[0]?.spec ?? NO_MESH

/** All policies and the default, for a question about any target. */
export function policyIndex(resources: readonly Resource[], trustDomain: string): PolicyIndex {
  const { defaultAction } = meshOf(resources)
  return { trustDomain, defaultAction, policies: namedPolicies(ofKind(resources, 'AccessPolicy')) }
}

/** All topics that Kafka should have, dead-letter topics included. */
export const topicsOf = (resources: readonly Resource[]): readonly WantedTopic[] =>
  wantedTopics(ofKind(resources, 'Topic'), ofKind(resources, 'Subscription'))
