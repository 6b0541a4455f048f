/** Topics with a quota: clients are told to wait, as brokers tell them, and those who do not wait are not read. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PRODUCE } from '../../../broker-bridge/src/wire/00-produce.ts'
import { FETCH } from '../../../broker-bridge/src/wire/01-fetch.ts'
import { METADATA } from '../../../broker-bridge/src/wire/03-metadata.ts'
import { NO_TOPIC_ID } from '../../../broker-bridge/src/wire/codec.ts'
import { writeBatch } from '../../../broker-bridge/src/wire/write-batch.ts'
import { fetchTopic, RawClient } from './raw-client.ts'
import { allow, type Bridge, createTopics, kafkaAt, startBridge, startWorld, type World } from './world.ts'

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
      topics: TOPICS.map((name) => ({
        name,
        partitions: 2,
        maxMessageBytes: 1_048_576,
        ...(quotas[name] !== undefined && { quota: quotas[name] }),
      })),
    },
  )
})
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const batchOf = (bytes: number): Buffer =>
  writeBatch([{ value: Buffer.alloc(bytes), headers: [] }], {
    producerId: -1n,
    producerEpoch: -1,
    baseSequence: -1,
    nowMs: Date.now(),
  })

const produceMessage = (topic: string, bytes: number, acks: number) => ({
  transactionalId: null,
  acks,
  timeoutMs: 5_000,
  topics: [
    {
      name: topic,
      topicId: NO_TOPIC_ID,
      partitions: [{ index: 0, records: batchOf(bytes), tags: [] }],
      tags: [],
    },
  ],
  tags: [],
})

const produce = (client: RawClient, topic: string, bytes: number, version = 9) =>
  client.ask(PRODUCE, version, produceMessage(topic, bytes, -1))

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

test('without an answer there is nobody to tell, and the connection waits', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  client.send(PRODUCE, 9, produceMessage('unheard', 160_000, 0))
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
