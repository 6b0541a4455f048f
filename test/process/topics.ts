import { setTimeout as delay } from 'node:timers/promises'
import type { Admin, ITopicConfig } from 'kafkajs'

const DEADLINE_MS = 30_000
const POLL_MS = 50

/**
 * Creates topics and resolves when each partition has a leader. (kafkajs's own waiting gives up at the first answer that
 * does not know the topic yet, which a broker gives for a moment after it has said that the topic is made.)
 */
export async function makeTopics(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  await admin.createTopics({
    topics: topics.map((topic) => ({ replicationFactor: 1, ...topic })),
    waitForLeaders: false,
  })
  const end = Date.now() + DEADLINE_MS
  for (;;) {
    const found = await admin
      .fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) })
      .catch(() => undefined)
    if (
      found?.topics.every(
        ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
      )
    )
      return
    if (Date.now() > end)
      throw new Error(`topics without a leader: ${topics.map(({ topic }) => topic).join(', ')}`)
    await delay(POLL_MS)
  }
}
