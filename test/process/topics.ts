import { setTimeout as delay } from 'node:timers/promises'
import type { Admin, ITopicConfig } from 'kafkajs'

const DEADLINE_MS = 30_000
const POLL_MS = 50

/**
 * Creates topics and resolves when each partition is served. (A broker says that a topic is made, then for a moment that it does
 * not know it, then names leaders that are not ready: kafkajs's own waiting gives up at the first of these, and its producer
 * sends again what was written already.)
 */
export async function makeTopics(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  await admin.createTopics({
    topics: topics.map((topic) => ({ replicationFactor: 1, ...topic })),
    waitForLeaders: false,
  })
  const end = Date.now() + DEADLINE_MS
  for (const { topic } of topics) {
    while (!(await isServed(admin, topic))) {
      if (Date.now() > end) throw new Error(`${topic} is not served after ${DEADLINE_MS} ms`)
      await delay(POLL_MS)
    }
  }
}

/** Only the leader of a partition tells its offsets. */
const isServed = (admin: Admin, topic: string): Promise<boolean> =>
  admin.fetchTopicOffsets(topic).then(
    (partitions) => partitions.length > 0,
    () => false,
  )
