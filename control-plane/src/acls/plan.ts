/**
 * AccessPolicies as the ACLs of a broker, so that going round the sidecar does not help. A broker knows principals one by one and
 * name prefixes, no more: sources are written out for the workloads that the mesh knows, a pattern with a star inside
 * is widened for a deny and left out for an allow. What the broker refuses, the sidecar refuses as well; not always the
 * other way round.
 */
import {
  expandPlaceholders,
  KAFKA_OPERATIONS_OF,
  type KafkaMatch,
  type KafkaOperation,
  type NamedPolicy,
  type PolicyIndex,
  type Subject,
  speaksOf,
} from '@weft/schemas/policy'

/** One ACL, in the words of org.apache.kafka.common.acl. */
export interface AclBinding {
  readonly resourceType: 'topic' | 'group' | 'transactionalId' | 'cluster'
  readonly resourceName: string
  readonly patternType: 'literal' | 'prefixed'
  readonly principal: string
  readonly operation: KafkaOperation | 'all'
  readonly permission: 'allow' | 'deny'
}

export interface AclPlan {
  readonly bindings: readonly AclBinding[]
  /** What no ACL can say, one sentence each. */
  readonly remarks: readonly string[]
}

export interface AclWorkload {
  readonly subject: Subject
  /** How the broker calls it: `User:CN=…`. */
  readonly principal: string
}

const CLUSTER_NAME = 'kafka-cluster'

/** The ACLs that these workloads need, each once, in no order. */
export function planAcls(index: PolicyIndex, workloads: readonly AclWorkload[]): AclPlan {
  if (index.defaultAction === 'allow')
    return { bindings: [], remarks: ['a mesh that allows by default has no ACLs: brokers deny by default'] }
  const bindings = new Map<string, AclBinding>()
  const remarks = new Set<string>()
  for (const policy of index.policies) {
    // What an audited policy would refuse is let through; what it would allow is not refused to its other callers.
    if (policy.mode === 'audit' && policy.action === 'deny') continue
    for (const workload of workloads)
      for (const binding of bindingsOf(policy, workload, index, remarks))
        bindings.set(aclKey(binding), binding)
  }
  return { bindings: [...bindings.values()], remarks: [...remarks] }
}

/** Tells ACLs apart. */
export const aclKey = (acl: AclBinding): string =>
  [acl.resourceType, acl.patternType, acl.permission, acl.operation, acl.principal, acl.resourceName].join(
    ' ',
  )

type Target = Pick<AclBinding, 'resourceType' | 'resourceName' | 'patternType'>

function* bindingsOf(
  policy: NamedPolicy,
  { subject, principal }: AclWorkload,
  index: PolicyIndex,
  remarks: Set<string>,
): Generator<AclBinding> {
  const named = (pattern: string) => patternOf(expandPlaceholders(pattern, subject), policy, remarks)
  const targets = targetsOf(policy, named)
  for (const rule of policy.rules) {
    if (policy.mode === 'enforce' && !speaksOf(rule, policy, index, subject)) continue
    const matches: readonly (KafkaMatch | undefined)[] =
      rule.to === undefined || policy.mode === 'audit'
        ? [undefined]
        : rule.to.flatMap(({ kafka }) => (kafka === undefined ? [] : [kafka]))
    for (const match of matches) {
      for (const target of targets)
        for (const operation of operationsOf(match, target))
          yield { ...target, principal, operation, permission: policy.action }
      if (policy.action === 'allow' && policy.target.topic !== undefined)
        for (const group of match?.operations.includes('consume') === true ? (match.groups ?? []) : []) {
          const name = named(group)
          if (name !== undefined)
            yield { resourceType: 'group', ...name, principal, operation: 'consume', permission: 'allow' }
        }
    }
  }
}

function operationsOf(
  match: KafkaMatch | undefined,
  { resourceType }: Target,
): readonly AclBinding['operation'][] {
  if (match === undefined) return ['all']
  return match.operations.filter((operation) => KAFKA_OPERATIONS_OF[resourceType].includes(operation))
}

type NamePattern = Pick<AclBinding, 'resourceName' | 'patternType'>

const EVERYTHING = { resourceName: '*', patternType: 'literal' } as const
const CLUSTER: Target = { resourceType: 'cluster', resourceName: CLUSTER_NAME, patternType: 'literal' }

function targetsOf(
  { target }: NamedPolicy,
  named: (pattern: string) => NamePattern | undefined,
): readonly Target[] {
  if (target.mesh === true)
    return [
      { resourceType: 'topic', ...EVERYTHING },
      { resourceType: 'group', ...EVERYTHING },
      { resourceType: 'transactionalId', ...EVERYTHING },
      CLUSTER,
    ]
  if (target.cluster === true) return [CLUSTER]
  for (const resourceType of ['topic', 'group', 'transactionalId'] as const) {
    const pattern = target[resourceType]
    const name = pattern === undefined ? undefined : named(pattern)
    if (name !== undefined) return [{ resourceType, ...name }]
  }
  return []
}

/** `orders`, `orders*` and `*` are a broker's own; of others it knows the part before the star. */
function patternOf(pattern: string, policy: NamedPolicy, remarks: Set<string>): NamePattern | undefined {
  const star = pattern.indexOf('*')
  if (star === -1) return { resourceName: pattern, patternType: 'literal' }
  if (star < pattern.length - 1) {
    const consequence = policy.action === 'deny' ? 'the broker denies more' : 'the broker does not allow it'
    remarks.add(`policy ${policy.namespace}/${policy.name}: no ACL can say ${pattern}, so ${consequence}`)
    if (policy.action === 'allow') return undefined
  }
  const prefix = pattern.slice(0, star)
  return prefix === '' ? EVERYTHING : { resourceName: prefix, patternType: 'prefixed' }
}
