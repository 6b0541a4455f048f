import { METADATA, OPERATIONS_NOT_ASKED } from '../../../wire/03-metadata.ts'
import { NO_TOPIC_ID } from '../../../wire/codec.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Access } from '../../access.ts'
import type { AnswerHook } from '../../exchange.ts'
import type { Authorizer } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { authorizedOperations, CLUSTER_NAME, clusterOperations } from './operations.ts'

/**
 * Metadata: DESCRIBE on each topic. A topic that was named is refused, one that was not is left out. Asking for a
 * topic creates it where the broker does so (auto.create.topics.enable): that is switched off in the request
 * unless every topic in it may be created.
 */
export const authorizeMetadata: Authorizer = (exchange, { access }) => {
  const request = exchange.read(METADATA)
  const asked = request.topics
  if (asked === null) return hideAndCorrect(access)

  // One id makes it a request by ids: the broker ignores the names then, and theirs are known only with the answer.
  const isById = asked.some(({ topicId }) => !topicId.equals(NO_TOPIC_ID))
  const kept = isById ? asked : asked.filter(({ name }) => access.allows('topic', name ?? '', 'describe'))
  const mayCreate = !isById && kept.every(({ name }) => sees(access, name ?? '', 'create'))
  const creates = request.allowAutoTopicCreation && mayCreate
  if (kept.length < asked.length || creates !== request.allowAutoTopicCreation)
    exchange.write(METADATA, { ...request, topics: kept, allowAutoTopicCreation: creates })

  const refusals = asked
    .filter((topic) => !kept.includes(topic))
    .map(({ name }) => refusal(name, NO_TOPIC_ID))
  const names = asked.flatMap(({ name }) => name ?? [])
  return correct(access, names, refusals)
}

/** Either the topic's own right or the cluster's will do, as in Kafka. */
const sees = (access: Access, topic: string, operation: 'create'): boolean =>
  access.sees('topic', topic, operation) || access.sees('cluster', CLUSTER_NAME, operation)

const refusal = (name: string | null, topicId: Buffer) => ({
  errorCode: KAFKA_ERROR.topicAuthorizationFailed,
  name,
  topicId,
  isInternal: false,
  partitions: [],
  authorizedOperations: OPERATIONS_NOT_ASKED,
  tags: [],
})

const hideAndCorrect =
  (access: Access): AnswerHook =>
  (answer) => {
    const message = answer.message(METADATA)
    message.topics = message.topics.filter(
      ({ name }) => name === null || access.sees('topic', name, 'describe'),
    )
    return correct(access, [], [])(answer)
  }

function correct(
  access: Access,
  names: readonly string[],
  refusals: readonly ReturnType<typeof refusal>[],
): AnswerHook {
  return (answer) => {
    const message = answer.message(METADATA)
    const topics = message.topics.map((topic) => {
      // Asked for by id: its name is known only now, and is not told.
      if (topic.name !== null && !access.sees('topic', topic.name, 'describe'))
        return refusal(null, topic.topicId)
      if (topic.name === null) return topic
      const bits = authorizedOperations(access, topic.authorizedOperations, 'topic', topic.name)
      return { ...topic, authorizedOperations: bits }
    })
    message.topics = inClientOrder(names, [...topics, ...refusals], ({ name }) => name)
    const bits = message.clusterAuthorizedOperations
    message.clusterAuthorizedOperations = clusterOperations(access, bits)
    answer.changed()
    return undefined
  }
}
