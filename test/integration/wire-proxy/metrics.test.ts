/** What the metrics say of Kafka clients: records by group, how far they are behind, how long requests take. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  allow,
  type Bridge,
  createTopics,
  eventually,
  kafkaAt,
  startBridge,
  startWorld,
  type World,
} from './world.ts'

let world: World
let bridge: Bridge

before(async () => {
  world = await startWorld()
  await createTopics(world, 'orders', 'shared')
  bridge = await startBridge(world, [
    allow('orders', ['produce', 'consume'], ['*']),
    allow('shared', ['produce', 'consume'], ['*']),
  ])
})
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

/** Each is a batch of its own. */
async function send(topic: string, count: number): Promise<void> {
  const producer = bridge.kafka.producer()
  await producer.connect()
  for (let n = 0; n < count; n++)
    await producer.send({ topic, messages: [{ partition: 0, value: String(n) }] })
  await producer.disconnect()
}

async function lagOf(topic: string, group: string): Promise<number | undefined> {
  const { values } = await bridge.metrics.gauge('weft_kafka_lag_records').get()
  return values.find(({ labels }) => labels.topic === topic && labels.group === group)?.value
}

test('lag is what the log has behind what a group was given, without a question more', async (t) => {
  await send('orders', 10)
  const consumer = kafkaAt(bridge.proxy.port, { clientId: 'slow' }).consumer({
    groupId: 'billing',
    maxBytesPerPartition: 1,
    maxWaitTimeInMs: 100,
  })
  t.after(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  const { promise: isFirst, resolve: first } = Promise.withResolvers<void>()
  let seen = 0
  await consumer.run({
    eachMessage: async () => {
      seen++
      if (seen > 1) return
      consumer.pause([{ topic: 'orders' }])
      first()
    },
  })
  await isFirst
  await eventually('nine are left', async () => (await lagOf('orders', 'billing')) === 9)
  consumer.resume([{ topic: 'orders' }])
  await eventually('none is left', async () => seen === 10 && (await lagOf('orders', 'billing')) === 0)
  const read = await bridge.count('weft_kafka_records_total', {
    operation: 'consume',
    group: 'billing',
    topic: 'orders',
  })
  assert.equal(read, 10)
})

test('a client id of two groups is counted under neither', async (t) => {
  await send('shared', 3)
  for (const groupId of ['one', 'two']) {
    const consumer = kafkaAt(bridge.proxy.port, { clientId: 'both' }).consumer({
      groupId,
      maxWaitTimeInMs: 100,
    })
    t.after(() => consumer.disconnect())
    await consumer.connect()
    await consumer.subscribe({ topic: 'shared', fromBeginning: true })
    const { promise, resolve } = Promise.withResolvers<void>()
    let seen = 0
    await consumer.run({
      eachMessage: async () => {
        if (++seen === 3) resolve()
      },
    })
    await promise
  }
  const counted = (group: string) =>
    bridge.count('weft_kafka_records_total', { operation: 'consume', group, topic: 'shared' })
  assert.deepEqual([await counted('one'), await counted('two'), await counted('-')], [3, 0, 3])
})

test('each API has its time', async () => {
  await send('orders', 5)
  const { values } = await bridge.metrics.histogram('weft_kafka_request_duration_seconds').get()
  const of = (api: string, part: 'count' | 'sum') =>
    values.find(({ labels, metricName }) => labels.api === api && metricName?.endsWith(`_${part}`) === true)
      ?.value ?? 0
  for (const api of ['Produce', 'Metadata', 'ApiVersions']) {
    assert.ok(of(api, 'count') > 0, api)
    assert.ok(of(api, 'sum') > 0 && of(api, 'sum') / of(api, 'count') < 30, api)
  }
})
