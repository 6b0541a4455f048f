/** What was decided, and why, in the words that a refused caller and `weft can` show. */
import type { Action, Decision, DecisionReason, NamedPolicy, Subject } from './types.ts'

/** `policy` decided, or speaks of the target where none allowed; `audited` would have decided otherwise. */
export function decision(
  subject: Subject,
  action: Action,
  allowed: boolean,
  reason: DecisionReason,
  policy?: NamedPolicy,
  audited?: NamedPolicy,
): Decision {
  return {
    allowed,
    reason,
    ...(policy !== undefined && { policy: nameOf(policy) }),
    ...(audited !== undefined && { audited: nameOf(audited) }),
    // Written only when somebody reads it: the hot path never does.
    get explanation() {
      return explain(subject, action, allowed, reason, policy)
    },
  }
}

const nameOf = (policy: { readonly namespace: string; readonly name: string }): string =>
  `${policy.namespace}/${policy.name}`

function explain(
  subject: Subject,
  action: Action,
  allowed: boolean,
  reason: DecisionReason,
  policy: NamedPolicy | undefined,
): string {
  const caller = callerOf(subject)
  const who =
    subject.token === undefined ? caller : `${caller} with a token of ${subject.token.providers.join(', ')}`
  const because: Record<DecisionReason, string> = {
    'allowed-by-policy': `policy ${policy === undefined ? '' : nameOf(policy)} allows it`,
    'denied-by-policy': `policy ${policy === undefined ? '' : nameOf(policy)} denies it`,
    'no-policy-allows':
      policy === undefined
        ? 'no policy speaks of it'
        : `policy ${nameOf(policy)} does not allow it, nor does another`,
    'mesh-default': 'the mesh default or a policy in audit mode lets it pass',
    'path-not-normalisable': 'the path can be read in two ways',
  }
  return `${who} ${allowed ? 'may' : 'may not'} ${whatOf(action)}: ${because[reason]}`
}

function whatOf(action: Action): string {
  switch (action.protocol) {
    case 'http':
      return `${action.method} ${action.path} of ${action.resource ?? 'service'} ${action.namespace}/${action.service}`
    case 'kafka':
      return `${action.operation} ${action.resource} ${action.name}`
    case 'tcp':
      return `connect to port ${action.port} of service ${action.namespace}/${action.service}`
  }
}

function callerOf(subject: Subject): string {
  switch (subject.kind) {
    case 'anonymous':
      return 'a caller without identity'
    case 'certificate':
      return `a caller with a certificate for ${subject.names.join(', ')}`
    case 'workload':
      return subject.uri
  }
}
