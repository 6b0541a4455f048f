/** The ACLs that a mesh needs: what its policies say, and what sidecars do on their workload's behalf beside it. */
import { decide, mayProduceSomewhere, type PolicyIndex, subjectOf } from '@weft/schemas/policy'
import { type Resource, redriveTopic, type SubscriptionResource } from '@weft/schemas/resources'
import { type SpiffeId, spiffeId } from '@weft/schemas/spiffe'
import { selects } from '../source/index.ts'
import { ofKind, policyIndex, retryTopicsOf } from '../translate/index.ts'
import { type AclBinding, type AclPlan, aclKey, planAcls } from './plan.ts'
import { principalOf } from './principal.ts'

/** Each ACL once, in the order of principal and resource. */
export function wantedAcls(resources: readonly Resource[], trustDomain: string): AclPlan {
  const index = policyIndex(resources, trustDomain)
  const ids = identitiesOf(resources, trustDomain)
  const workloads = ids.map((id) => ({ subject: subjectOf(id), principal: principalOf(id) }))
  const plan = planAcls(index, workloads)
  if (index.defaultAction === 'allow') return plan
  const implied = [
    ...ids.flatMap((id) => transactionsOf(index, id)),
    ...ofKind(resources, 'Subscription').flatMap((subscription) =>
      subscribersOf(subscription, resources, trustDomain).flatMap((id) =>
        deliveryOf(subscription, index, id),
      ),
    ),
  ]
  const bindings = new Map([...plan.bindings, ...implied].map((binding) => [aclKey(binding), binding]))
  return { ...plan, bindings: [...bindings.entries()].toSorted(byKey).map(([, binding]) => binding) }
}

const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : one > other ? 1 : 0

function identitiesOf(resources: readonly Resource[], trustDomain: string): readonly SpiffeId[] {
  const ids = ofKind(resources, 'Workload').map(({ metadata, spec }) =>
    spiffeId(trustDomain, metadata.namespace, spec.serviceAccount),
  )
  return [...new Map(ids.map((id) => [id.uri, id])).values()]
}

const literal = (resourceType: AclBinding['resourceType'], resourceName: string) =>
  ({ resourceType, resourceName, patternType: 'literal', permission: 'allow' }) as const

/** Events of several topics, all or none, are written under ids that begin with the name of the sidecar's client. */
function transactionsOf(index: PolicyIndex, id: SpiffeId): readonly AclBinding[] {
  if (!mayProduceSomewhere(index, subjectOf(id))) return []
  return [
    {
      resourceType: 'transactionalId',
      resourceName: `weft-${id.serviceAccount}-`,
      patternType: 'prefixed',
      principal: principalOf(id),
      operation: 'produce',
      permission: 'allow',
    },
  ]
}

function subscribersOf(
  { metadata, spec }: SubscriptionResource,
  resources: readonly Resource[],
  trustDomain: string,
): readonly SpiffeId[] {
  const service = ofKind(resources, 'Service').find(
    (each) => each.metadata.namespace === metadata.namespace && each.metadata.name === spec.service,
  )
  if (service === undefined) return []
  const workloads = ofKind(resources, 'Workload').filter((workload) => selects(service, workload))
  return identitiesOf(workloads, trustDomain)
}

/** Who may consume a topic has its dead letters and later attempts written and read by its sidecar, which asks no policy for that. */
function deliveryOf({ spec }: SubscriptionResource, index: PolicyIndex, id: SpiffeId): readonly AclBinding[] {
  const { topic, group, deadLetterTopic } = spec
  const question = { protocol: 'kafka', resource: 'topic', name: topic, operation: 'consume', group } as const
  if (!decide(index, subjectOf(id), question).allowed) return []
  const principal = principalOf(id)
  const later = retryTopicsOf(spec).map((retry) => retry.topic)
  return [
    ...[deadLetterTopic, ...later].map((name) => ({
      ...literal('topic', name),
      principal,
      operation: 'produce' as const,
    })),
    // Each has a group of its own, of the same name.
    ...[redriveTopic(topic, group), ...later].flatMap((name) =>
      (['topic', 'group'] as const).map((type) => ({
        ...literal(type, name),
        principal,
        operation: 'consume' as const,
      })),
    ),
  ]
}
