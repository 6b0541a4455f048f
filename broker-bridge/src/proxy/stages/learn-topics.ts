import { METADATA } from '../../wire/03-metadata.ts'
import { CREATE_TOPICS } from '../../wire/19-create-topics.ts'
import { DESCRIBE_TOPIC_PARTITIONS } from '../../wire/75-describe-topic-partitions.ts'
import type { AnswerHook, Stage } from '../exchange.ts'
import type { TopicIds, TopicRef } from '../topic-ids.ts'

/** First versions that say the ids of topics. */
const IDS_IN_METADATA = 10
const IDS_IN_CREATE_TOPICS = 7

/** Notes the ids of topics wherever a broker tells them: newer requests name topics by nothing else. */
export function learnTopics(topicIds: TopicIds): Stage {
  const learnAll = (topics: readonly TopicRef[]): undefined => {
    for (const topic of topics) topicIds.learn(topic)
  }
  const ofMetadata: AnswerHook = (answer) => learnAll(answer.message(METADATA).topics)
  const ofCreated: AnswerHook = (answer) => learnAll(answer.message(CREATE_TOPICS).topics)
  const ofPartitions: AnswerHook = (answer) => learnAll(answer.message(DESCRIBE_TOPIC_PARTITIONS).topics)
  return ({ api, version }) => {
    if (api === METADATA) return version >= IDS_IN_METADATA ? ofMetadata : undefined
    if (api === CREATE_TOPICS) return version >= IDS_IN_CREATE_TOPICS ? ofCreated : undefined
    return api === DESCRIBE_TOPIC_PARTITIONS ? ofPartitions : undefined
  }
}
