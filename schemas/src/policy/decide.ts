import { tokenMatches } from './claims.ts'
import { decision } from './decision.ts'
import { matchesGlob } from './glob.ts'
import { normalisePath } from './path.ts'
import type {
  Action,
  Decision,
  HttpMatch,
  KafkaAction,
  KafkaMatch,
  KafkaOperation,
  NamedPolicy,
  OperationMatch,
  PolicyRule,
  PolicyTarget,
  ProvenToken,
  SourceMatch,
  Subject,
  TcpMatch,
} from './types.ts'

/** The policies of a mesh, ready to be asked. Immutable. */
export interface PolicyIndex {
  readonly trustDomain: string
  readonly defaultAction: 'allow' | 'deny'
  readonly policies: readonly NamedPolicy[]
}

/** The one function of access in Weft: HTTP and TCP inbound, event API, wire proxy and `weft can` all ask it. Pure.
 *
 *  Deny wins over allow; without an allow the mesh default holds; under `defaultAction: allow` a target
 *  that has an allow policy is closed to everyone else. A policy in audit mode never changes who is denied by
 *  others: an audited deny lets pass, an audited allow lets its target's other callers pass; both are named in `audited`.
 */
export function decide(index: PolicyIndex, subject: Subject, action: Action): Decision {
  const question = action.protocol === 'http' ? withNormalPath(action) : action
  if (question === undefined) return decision(subject, action, false, 'path-not-normalisable')

  let allowedBy: NamedPolicy | undefined
  let audited: NamedPolicy | undefined
  let auditedAllow: NamedPolicy | undefined
  /** Speaks of the target, and allows others or other things: what a person has to look at. */
  let closest: NamedPolicy | undefined
  for (const policy of index.policies) {
    if (!targets(policy, question, subject)) continue
    const matched = policy.rules.some((rule) => ruleMatches(rule, policy, index, subject, question))
    if (policy.action === 'deny') {
      if (!matched) continue
      if (policy.mode === 'enforce') return decision(subject, action, false, 'denied-by-policy', policy)
      audited ??= policy
    } else {
      if (matched) allowedBy ??= policy
      // What a topic's policy says of its groups opens them to its readers; it does not speak of a group as such.
      if (isGroupOfTopicPolicy(policy, question)) continue
      if (policy.mode === 'audit') auditedAllow ??= policy
      else closest ??= policy
    }
  }

  if (allowedBy !== undefined) return decision(subject, action, true, 'allowed-by-policy', allowedBy, audited)
  if (auditedAllow !== undefined)
    return decision(subject, action, true, 'mesh-default', undefined, audited ?? auditedAllow)
  if (index.defaultAction === 'allow' && closest === undefined)
    return decision(subject, action, true, 'mesh-default', undefined, audited)
  return decision(subject, action, false, 'no-policy-allows', closest)
}

function withNormalPath<A extends Action & { protocol: 'http' }>(action: A): A | undefined {
  const path = normalisePath(action.path)
  return path === undefined ? undefined : { ...action, path }
}

/** Does the policy speak of the thing that the action is done to? */
export function targets(policy: NamedPolicy, action: Action, subject: Subject): boolean {
  const target: PolicyTarget = policy.target
  if (target.mesh === true) return true
  if (action.protocol === 'tcp' || action.protocol === 'http')
    return target[action.resource ?? 'service'] === action.service && policy.namespace === action.namespace
  const expand = (pattern: string) => expandPlaceholders(pattern, subject)
  switch (action.resource) {
    case 'topic':
      return target.topic !== undefined && matchesGlob(expand(target.topic), action.name)
    case 'group':
      // A topic's allow rule may bring its consumer groups with it; see kafkaMatches.
      return target.group !== undefined
        ? matchesGlob(expand(target.group), action.name)
        : target.topic !== undefined
    case 'transactionalId':
      return target.transactionalId !== undefined && matchesGlob(expand(target.transactionalId), action.name)
    case 'cluster':
      return target.cluster === true
  }
}

/** Does the rule speak of this caller? */
export function speaksOf(
  rule: PolicyRule,
  policy: NamedPolicy,
  index: PolicyIndex,
  subject: Subject,
): boolean {
  return rule.from === undefined
    ? subject.kind !== 'anonymous'
    : rule.from.some((source) => sourceMatches(source, policy, index, subject))
}

function ruleMatches(
  rule: PolicyRule,
  policy: NamedPolicy,
  index: PolicyIndex,
  subject: Subject,
  action: Action,
): boolean {
  if (!speaksOf(rule, policy, index, subject)) return false
  if (rule.to === undefined) return !isGroupOfTopicPolicy(policy, action)
  return rule.to.some((to) => operationMatches(to, policy, action, subject))
}

function operationMatches(
  { http, kafka, tcp }: OperationMatch,
  policy: NamedPolicy,
  action: Action,
  subject: Subject,
): boolean {
  switch (action.protocol) {
    case 'http':
      return http !== undefined && httpMatches(http, action)
    case 'kafka':
      return kafka !== undefined && kafkaMatches(kafka, policy, action, subject)
    case 'tcp':
      return tcp !== undefined && tcpMatches(tcp, action.port)
  }
}

function sourceMatches(
  source: SourceMatch,
  policy: NamedPolicy,
  index: PolicyIndex,
  subject: Subject,
): boolean {
  if (source.jwt !== undefined) {
    if (!tokenMatches(source.jwt, policy.namespace, subject.token)) return false
    // A token alone speaks of the end user, whichever caller carries it.
    if (saysNothingOfTheCaller(source)) return true
  }
  if (subject.kind === 'anonymous') return source.anonymous === true
  if (subject.kind === 'certificate') return certificateMatches(source, subject.names)
  if (source.anonymous === true || source.clientCertificate !== undefined) return false
  if (source.identity !== undefined && !matchesGlob(source.identity, subject.uri)) return false
  if (source.serviceAccount === undefined && source.namespace === undefined)
    return source.identity !== undefined
  // Short names speak of the own trust domain only; a foreign one has to be written out as `identity`.
  if (!subject.uri.startsWith(`spiffe://${index.trustDomain}/`)) return false
  if (source.serviceAccount !== undefined && source.serviceAccount !== subject.serviceAccount) return false
  const namespace = source.namespace ?? (source.serviceAccount === undefined ? undefined : policy.namespace)
  return namespace === undefined || namespace === subject.namespace
}

/** Alone: what a certificate from outside says of workloads of the mesh is nothing to go by. */
function certificateMatches(
  { clientCertificate, ...source }: SourceMatch,
  names: readonly string[],
): boolean {
  if (clientCertificate === undefined || !saysNothingOfTheCaller(source)) return false
  return names.some((name) => matchesGlob(clientCertificate, name))
}

const saysNothingOfTheCaller = (source: SourceMatch): boolean =>
  (source.serviceAccount ??
    source.namespace ??
    source.identity ??
    source.anonymous ??
    source.clientCertificate) === undefined

export function httpMatches(
  match: HttpMatch,
  action: { readonly method: string; readonly path: string },
): boolean {
  if (match.methods !== undefined && !match.methods.includes(action.method)) return false
  return (
    match.paths === undefined || match.paths.some((pattern) => matchesPrefixPattern(pattern, action.path))
  )
}

const tcpMatches = (match: TcpMatch, port: number): boolean => match.ports?.includes(port) ?? true

/** Operation → what also grants it (Kafka's own implications: AclEntry, KIP-11): describe comes with each of the others. */
const DESCRIBE_COMES_WITH: ReadonlySet<KafkaOperation> = new Set(['produce', 'consume', 'delete', 'alter'])

function grants(granted: readonly KafkaOperation[], asked: KafkaOperation): boolean {
  if (granted.includes(asked)) return true
  if (asked === 'describe') return granted.some((operation) => DESCRIBE_COMES_WITH.has(operation))
  return asked === 'describeConfigs' && granted.includes('alterConfigs')
}

const isGroupOfTopicPolicy = (policy: NamedPolicy, action: Action): boolean =>
  action.protocol === 'kafka' && action.resource === 'group' && policy.target.topic !== undefined

function kafkaMatches(
  match: KafkaMatch,
  policy: NamedPolicy,
  action: KafkaAction,
  subject: Subject,
): boolean {
  // Implications widen what an allow grants; a deny refuses what it names and nothing else.
  const isGranted =
    policy.action === 'allow'
      ? grants(match.operations, action.operation)
      : match.operations.includes(action.operation)
  if (!isGranted) return false
  if (isGroupOfTopicPolicy(policy, action)) {
    return (
      policy.action === 'allow' &&
      match.operations.includes('consume') &&
      anyGlob(match.groups, action.name, subject)
    )
  }
  if (match.groups === undefined || action.resource !== 'topic') return true
  // Fetch does not say its group: an allow is not lost by that (the group was judged when it was joined), a deny needs to know.
  if (action.group === undefined) return policy.action === 'allow'
  return anyGlob(match.groups, action.group, subject)
}

const anyGlob = (patterns: readonly string[] | undefined, name: string, subject: Subject): boolean =>
  patterns?.some((pattern) => matchesGlob(expandPlaceholders(pattern, subject), name)) ?? false

/** `${serviceAccount}` and `${namespace}` in a pattern are those of the subject. */
export function expandPlaceholders(pattern: string, subject: Subject): string {
  if (!pattern.includes('${')) return pattern
  if (subject.kind !== 'workload') return '' // names nothing
  return pattern
    .replaceAll('${serviceAccount}', subject.serviceAccount)
    .replaceAll('${namespace}', subject.namespace)
}

const matchesPrefixPattern = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path

/** The subject of a proven SPIFFE id, or of a caller that proved none, and of the token that it carries. */
export function subjectOf(
  id: { readonly uri: string; readonly namespace: string; readonly serviceAccount: string } | undefined,
  token?: ProvenToken,
): Subject {
  const carried = token !== undefined && { token }
  if (id === undefined) return { kind: 'anonymous', ...carried }
  const { uri, namespace, serviceAccount } = id
  return { kind: 'workload', uri, namespace, serviceAccount, ...carried }
}
