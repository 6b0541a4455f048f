/** Faults that a topic asks for: late answers, leaders that are none, connections that end; and clients that come through them. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TopicFault } from '@weft/schemas/snapshot'
import { PRODUCE } from '../../../broker-bridge/src/wire/00-produce.ts'
import { FETCH } from '../../../broker-bridge/src/wire/01-fetch.ts'
import { batchOf, fetchTopic, produceRequest, RawClient } from './raw-client.ts'
import { allow, type Bridge, createTopics, startBridge, startWorld, topicEntry, type World } from './world.ts'

const NOT_LEADER = 6
const FAULTS: Readonly<Record<string, readonly TopicFault[]>> = {
  slow: [{ operations: ['produce'], delay: { percent: 100, fixedMs: 400 } }],
  moved: [{ operations: ['produce'], notLeader: { percent: 100 } }],
  cut: [{ operations: ['consume'], disconnect: { percent: 100 } }],
  flaky: [{ notLeader: { percent: 30 }, disconnect: { percent: 10 }, delay: { percent: 20, fixedMs: 20 } }],
  well: [],
}
const TOPICS = Object.keys(FAULTS)
let world: World
let bridge: Bridge

before(async () => {
  world = await startWorld()
  await createTopics(world, ...TOPICS)
  bridge = await startBridge(
    world,
    TOPICS.map((topic) => allow(topic, ['produce', 'consume'], ['*'])),
    {
      topics: TOPICS.map((name) => topicEntry(name, { faults: FAULTS[name] ?? [] })),
    },
  )
})
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function produce(...topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  using client = await RawClient.connect(bridge.proxy.port)
  const answer = await client.ask(PRODUCE, 9, produceRequest(topics, batchOf('x')))
  return new Map(answer.topics.map(({ name, partitions }) => [name, partitions[0]?.errorCode ?? -1]))
}

async function fetched(...topics: readonly string[]): Promise<readonly string[]> {
  using client = await RawClient.connect(bridge.proxy.port)
  const answer = await client.ask(FETCH, 11, {
    ...FETCH.request.absent,
    maxWaitMs: 500,
    minBytes: 1,
    topics: topics.map(fetchTopic),
  })
  return answer.topics.map(({ name }) => name)
}

const made = async (destination: string, kind: string): Promise<number> => {
  const { values } = await bridge.metrics.counter('weft_faults_injected_total').get()
  const found = values.find(({ labels }) => labels.destination === destination && labels.kind === kind)
  return found?.value ?? 0
}

test('an answer comes late, and only of what the fault speaks of', async () => {
  const started = performance.now()
  assert.deepEqual([...(await produce('slow'))], [['slow', 0]])
  assert.ok(performance.now() - started >= 395)
  assert.equal(await made('slow', 'delay'), 1)
  assert.deepEqual(await fetched('slow'), ['slow'])
  assert.equal(await made('slow', 'delay'), 1)
})

test('a topic whose leader is said to be elsewhere is not written, and the others of the request are', async () => {
  assert.deepEqual(
    [...(await produce('moved', 'well'))],
    [
      ['moved', NOT_LEADER],
      ['well', 0],
    ],
  )
  assert.deepEqual([...(await produce('moved'))], [['moved', NOT_LEADER]])
  const admin = world.direct.admin()
  await admin.connect()
  const offsets = await admin.fetchTopicOffsets('moved')
  await admin.disconnect()
  assert.ok(offsets.every(({ high }) => high === '0'))
})

test('a connection ends in place of the request', async () => {
  await produce('cut')
  await assert.rejects(fetched('cut'), /closed without an answer/)
  assert.equal(await bridge.count('weft_kafka_closed_total', { reason: 'fault_injected' }), 1)
  assert.equal(await made('cut', 'disconnect'), 1)
})

test('kafkajs gets everything through a topic that fails often', async (t) => {
  const producer = bridge.kafka.producer({ retry: { retries: 20, initialRetryTime: 20, maxRetryTime: 100 } })
  t.after(() => producer.disconnect())
  await producer.connect()
  for (let n = 0; n < 30; n++)
    await producer.send({ topic: 'flaky', messages: [{ partition: 0, value: String(n) }] })
  assert.ok((await made('flaky', 'not-leader')) > 0)
  assert.ok((await made('flaky', 'delay')) > 0)
  const consumer = bridge.kafka.consumer({
    groupId: 'flaky',
    maxWaitTimeInMs: 100,
    retry: { retries: 30, initialRetryTime: 20, maxRetryTime: 100 },
  })
  t.after(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topic: 'flaky', fromBeginning: true })
  const seen = new Set<string>()
  const { promise, resolve } = Promise.withResolvers<void>()
  await consumer.run({
    eachMessage: async ({ message }) => {
      seen.add(String(message.value))
      if (seen.size === 30) resolve()
    },
  })
  await promise
})
