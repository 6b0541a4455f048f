import type { IdentitySource } from '@weft/schemas/node/identity'
import { type Decision, decide, subjectOf } from '@weft/schemas/policy'
import type { IndexedSnapshot, SubscriptionEntry } from '@weft/schemas/snapshot'

/**
 * Why the workload may not consume for a subscription, undefined where it may. Topic and group are asked: the same two questions that a
 * Kafka client's join and fetch would be; the topic is its own, whichever it is read from.
 */
export function refusalOf(
  identity: IdentitySource,
  now: IndexedSnapshot,
  { topic, group }: SubscriptionEntry,
): Decision | undefined {
  const subject = subjectOf(identity.current().spiffeId)
  const ask = (resource: 'topic' | 'group', name: string): Decision =>
    decide(now.policies, subject, {
      protocol: 'kafka',
      resource,
      name,
      operation: 'consume',
      ...(resource === 'topic' && { group }),
    })
  return [ask('topic', topic), ask('group', group)].find((decision) => !decision.allowed)
}
