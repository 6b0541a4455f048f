import { OPERATIONS_NOT_ASKED } from '../../../wire/03-metadata.ts'
import { DESCRIBE_TOPIC_PARTITIONS } from '../../../wire/75-describe-topic-partitions.ts'
import { NO_TOPIC_ID } from '../../../wire/codec.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Authorizer } from './authorizer.ts'
import { authorizedOperations } from './operations.ts'
import { splitEntries } from './split.ts'

/** DescribeTopicPartitions: DESCRIBE on each topic. One that was named is refused, one that was not is left out. */
export const authorizeDescribeTopicPartitions: Authorizer = (exchange, { access }) => {
  const merge = splitEntries(exchange, DESCRIBE_TOPIC_PARTITIONS, {
    asked: 'topics',
    answered: 'topics',
    keyOf: ({ name }) => name,
    refuse: ({ name }) =>
      access.allows('topic', name, 'describe')
        ? undefined
        : {
            errorCode: KAFKA_ERROR.topicAuthorizationFailed,
            name,
            topicId: NO_TOPIC_ID,
            isInternal: false,
            partitions: [],
            topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
            tags: [],
          },
  })
  const isOfAll = exchange.read(DESCRIBE_TOPIC_PARTITIONS).topics.length === 0
  return (answer) => {
    merge?.(answer)
    const message = answer.message(DESCRIBE_TOPIC_PARTITIONS)
    const isSeen = ({ name }: { name: string | null }) =>
      !isOfAll || name === null || access.sees('topic', name, 'describe')
    message.topics = message.topics.filter(isSeen).map((topic) => ({
      ...topic,
      topicAuthorizedOperations: authorizedOperations(
        access,
        topic.topicAuthorizedOperations,
        'topic',
        topic.name ?? '',
      ),
    }))
    answer.changed()
    return undefined
  }
}
