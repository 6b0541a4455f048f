import type { FetchTopic } from '../wire/01-fetch.ts'
import { type TopicRef, topicKey } from './topic-ids.ts'

/** The offset that a Fetch asked for; undefined where it did not ask for this partition. */
export function offsetAsked(
  asked: readonly FetchTopic[],
  fetched: TopicRef,
  partition: number,
): number | undefined {
  const key = topicKey(fetched)
  const topic = asked.find((each) => topicKey(each) === key)
  return topic?.offsets[topic.partitions.indexOf(partition)]
}
