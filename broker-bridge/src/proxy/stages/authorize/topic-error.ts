import type { KafkaOperation } from '@weft/schemas/policy'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { TopicRef } from '../../topic-ids.ts'
import type { AuthorizeContext } from './authorizer.ts'

/** The error that a topic is refused with; undefined where it is permitted. `group`: see KafkaAction. */
export function topicError(
  { access, topicIds }: AuthorizeContext,
  topic: TopicRef,
  operation: KafkaOperation,
  group?: string,
): number | undefined {
  const name = topicIds.nameOf(topic)
  // What is not known cannot be judged. Clients ask for metadata then, and its answer tells the sidecar, too.
  if (name === undefined) return KAFKA_ERROR.unknownTopicId
  return access.allows('topic', name, operation, group) ? undefined : KAFKA_ERROR.topicAuthorizationFailed
}
