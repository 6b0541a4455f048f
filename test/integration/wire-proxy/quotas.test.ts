/** Topics with a quota: clients are told to wait, as brokers tell them, and those who do not wait are not read. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PRODUCE } from '../../../broker-bridge/src/wire/00-produce.ts'
import { FETCH } from '../../../broker-bridge/src/wire/01-fetch.ts'
import { METADATA } from '../../../broker-bridge/src/wire/03-metadata.ts'
import { batchOf, fetchTopic, produceRequest, RawClient } from './raw-client.ts'
import {
  allow,
  type Bridge,
  createTopics,
  kafkaAt,
  startBridge,
  startWorld,
  topicEntry,
  type World,
} from './world.ts'

const PER_SECOND = 100_000
const TOPICS = ['sent', 'unheard', 'fetched', 'open', 'kafkajs'] as const
let world: World
let bridge: Bridge

before(async () => {
  world = await startWorld()
  await createTopics(world, ...TOPICS)
  const quotas = {
    sent: { produceBytesPerSecond: PER_SECOND },
    unheard: { produceBytesPerSecond: PER_SECOND },
    fetched: { consumeBytesPerSecond: PER_SECOND },
    open: undefined,
    kafkajs: { produceBytesPerSecond: PER_SECOND },
  }
  bridge = await startBridge(
    world,
    TOPICS.map((topic) => allow(topic, ['produce', 'consume'], ['*'])),
    {
      topics: TOPICS.map((name) =>
        topicEntry(name, quotas[name] === undefined ? {} : { quota: quotas[name] }),
      ),
    },
  )
})
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const produce = (client: RawClient, topic: string, bytes: number, version = 9) =>
  client.ask(PRODUCE, version, produceRequest([topic], batchOf(Buffer.alloc(bytes))))

async function metadataMs(client: RawClient): Promise<number> {
  const started = performance.now()
  await client.ask(METADATA, 9, { ...METADATA.request.absent, topics: null })
  return performance.now() - started
}

test('who sent too much is told for how long to wait, and is not read until then; others are', async () => {
  for (const version of [3, 9]) {
    using client = await RawClient.connect(bridge.proxy.port)
    using other = await RawClient.connect(bridge.proxy.port)
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    assert.equal((await produce(client, 'sent', 10_000, version)).throttleTimeMs, 0)
    const { throttleTimeMs, topics } = await produce(client, 'sent', 150_000, version)
    assert.equal(topics[0]?.partitions[0]?.errorCode, 0, 'it is stored all the same')
    assert.ok(throttleTimeMs > 400 && throttleTimeMs <= 620, `${throttleTimeMs} ms`)
    const [muted, free] = await Promise.all([metadataMs(client), metadataMs(other)])
    assert.ok(muted > throttleTimeMs - 100, `was read after ${muted} ms`)
    assert.ok(free < muted, `${free} ms`)
    assert.equal((await produce(other, 'open', 500_000, version)).throttleTimeMs, 0)
  }
})

test('of two waits on one connection the longer one holds, whichever is told last', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  await metadataMs(client)
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  const asked = [
    client.send(PRODUCE, 9, produceRequest(['sent'], batchOf(Buffer.alloc(200_000)))),
    client.send(PRODUCE, 9, produceRequest(['unheard'], batchOf(Buffer.alloc(103_000)))),
  ]
  await Promise.all(asked.map((each) => client.next(each)))
  const muted = await metadataMs(client)
  assert.ok(muted > 700, `was read after ${muted} ms`)
})

test('without an answer there is nobody to tell, and the connection waits', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  client.send(PRODUCE, 9, produceRequest(['unheard'], batchOf(Buffer.alloc(160_000)), 0))
  assert.ok((await metadataMs(client)) > 400)
})

test('who fetched too much is told so with what was fetched', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  await produce(client, 'fetched', 150_000)
  const { throttleTimeMs, topics } = await client.ask(FETCH, 11, {
    ...FETCH.request.absent,
    maxWaitMs: 1_000,
    minBytes: 1,
    topics: [fetchTopic('fetched')],
  })
  assert.ok((topics[0]?.partitions[0]?.records?.length ?? 0) > 150_000)
  assert.ok(throttleTimeMs > 400 && throttleTimeMs <= 520, `${throttleTimeMs} ms`)
  assert.ok((await metadataMs(client)) > 300)
})

test('kafkajs keeps to it, and the metrics say how long it waited', async (t) => {
  const producer = kafkaAt(bridge.proxy.port).producer()
  t.after(() => producer.disconnect())
  await producer.connect()
  const started = performance.now()
  for (let n = 0; n < 6; n++)
    await producer.send({ topic: 'kafkajs', messages: [{ partition: 0, value: Buffer.alloc(50_000) }] })
  assert.ok(performance.now() - started > 1_000)
  const { values } = await bridge.metrics.counter('weft_kafka_throttle_seconds_total').get()
  const waited = values.find(({ labels }) => (labels as { topic?: string }).topic === 'kafkajs')
  assert.ok((waited?.value ?? 0) > 1)
})
