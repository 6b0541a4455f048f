import { decide, expandPlaceholders, type PolicyIndex } from './decide.ts'
import type { Subject } from './types.ts'

/**
 * May the subject produce to some topic, whichever? Kafka's `authorizeByResourceType`, which an idempotent producer is
 * asked before it names a topic. A deny counts only where it closes all that an allow opens.
 */
export function mayProduceSomewhere(index: PolicyIndex, subject: Subject): boolean {
  const patterns = index.policies.flatMap(({ action, target }) =>
    action === 'allow' && target.topic !== undefined ? [target.topic] : [],
  )
  // The empty name stands for any topic, where the mesh or a policy for all of it speaks of them.
  return ['', ...patterns].some((pattern) => {
    const name = expandPlaceholders(pattern, subject).replaceAll('*', '')
    return decide(index, subject, { protocol: 'kafka', resource: 'topic', name, operation: 'produce' })
      .allowed
  })
}
