import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  App,
  createTopic,
  snapshotOf,
  startBridge,
  startWorld,
  subscriptionEntry,
  topicEntry,
} from './world.ts'

const PARTITIONS = 3
const RECORDS = 30

test('two subscriptions of one service in one group, on two topics, get all records of both', async () => {
  await using world = await startWorld()
  const topics = ['first', 'second']
  for (const topic of topics) {
    await createTopic(world, topic, PARTITIONS)
    await createTopic(world, `${topic}.dlt`)
  }
  await using app = await App.start()
  const snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics: topics.map((topic) => topicEntry(topic)),
    subscriptions: topics.map((topic) => subscriptionEntry(topic, { group: 'shared' })),
  })
  await using _bridge = await startBridge(snapshots, { appPort: app.port })

  const producer = world.kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: RECORDS }, (_, index) => ({
    value: `${index}`,
    partition: index % PARTITIONS,
  }))
  for (const topic of topics) await producer.send({ topic, messages })
  await producer.disconnect()

  // A repeat is allowed, a record that nobody gets is not.
  await app.until(
    (got) =>
      new Set(got.map(({ topic, body }) => `${topic} ${body.toString()}`)).size === topics.length * RECORDS,
  )
  assert.deepEqual([...new Set(app.got.map(({ topic }) => topic))].sort(), topics)
})
