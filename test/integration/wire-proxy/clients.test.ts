/** An unmodified kafkajs behind the wire proxy notices nothing. */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { CompressionTypes } from 'kafkajs'
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
  await createTopics(world, 'orders', 'payments', 'rebalanced', 'hidden')
  bridge = await startBridge(world, [
    allow('orders', ['produce', 'consume'], ['orders-readers']),
    allow('payments', ['produce', 'consume'], ['payments-readers']),
    allow('rebalanced', ['produce', 'consume'], ['pair']),
  ])
})

after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function readAll(t: TestContext, topic: string, groupId: string, wanted: number): Promise<string[]> {
  const consumer = bridge.kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  t.after(() => consumer.disconnect())
  const values: string[] = []
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.push(String(message.value))
    },
  })
  await eventually(`${wanted} records of ${topic}`, () => values.length >= wanted)
  return values
}

test('records come out as they went in, plain and compressed, acknowledged by all replicas', async (t) => {
  const producer = bridge.kafka.producer({ idempotent: true })
  await producer.connect()
  const messages = Array.from({ length: 50 }, (_, i) => ({ key: `k${i % 7}`, value: `plain ${i}` }))
  await producer.send({ topic: 'orders', acks: -1, messages })
  await producer.send({
    topic: 'orders',
    acks: -1,
    compression: CompressionTypes.GZIP,
    messages: [{ value: 'zipped' }],
  })
  await producer.disconnect()

  const values = await readAll(t, 'orders', 'orders-readers', 51)

  assert.deepEqual(values.toSorted(), [...messages.map(({ value }) => value), 'zipped'].toSorted())
  assert.equal(
    await bridge.count('weft_kafka_records_total', { operation: 'produce', topic: 'orders', outcome: 'ok' }),
    51,
  )
  assert.equal(
    await bridge.count('weft_kafka_records_total', { operation: 'consume', topic: 'orders', outcome: 'ok' }),
    51,
  )
})

test('acks=0 has no answer and loses nothing while the connection is in order', async (t) => {
  const producer = bridge.kafka.producer()
  await producer.connect()
  for (let i = 0; i < 5; i++)
    await producer.send({ topic: 'payments', acks: 0, messages: [{ value: `${i}` }] })
  await producer.send({ topic: 'payments', acks: 1, messages: [{ value: 'last' }] })
  await producer.disconnect()
  assert.deepEqual((await readAll(t, 'payments', 'payments-readers', 6)).toSorted(), [
    '0',
    '1',
    '2',
    '3',
    '4',
    'last',
  ])
})

test('two members share the partitions of a group, and one takes over when the other leaves', async (t) => {
  const members = [1, 2].map(() =>
    bridge.kafka.consumer({ groupId: 'pair', maxWaitTimeInMs: 100, heartbeatInterval: 200 }),
  )
  const seen: { member: number; partition: number; round: string }[] = []
  const producer = bridge.kafka.producer()
  t.after(() => Promise.all([...members, producer].map((client) => client.disconnect())))
  await producer.connect()
  let rounds = 0
  /** Who read the records of one round. Members may change hands meanwhile: then a record comes late or twice, never not. */
  const readersOfNextRound = async (): Promise<ReadonlySet<number>> => {
    const round = String(++rounds)
    const messages = [0, 1].map((partition) => ({ partition, value: round }))
    await producer.send({ topic: 'rebalanced', messages })
    const ofRound = () => seen.filter((record) => record.round === round)
    await eventually(
      'the records of both partitions',
      () => new Set(ofRound().map((record) => record.partition)).size === 2,
    )
    return new Set(ofRound().map(({ member }) => member))
  }
  for (const [index, member] of members.entries()) {
    await member.connect()
    // From the beginning: a group that starts at the latest record skips what is sent while it still gathers.
    await member.subscribe({ topic: 'rebalanced', fromBeginning: true })
    await member.run({
      eachMessage: async ({ partition, message }) => {
        seen.push({ member: index, partition, round: String(message.value) })
      },
    })
  }
  await eventually('each member has a partition', async () => (await readersOfNextRound()).size === 2)

  await members[0]?.disconnect()

  const readers = await readersOfNextRound()
  assert.deepEqual([...readers], [1])
})

test('the admin sees the topics and groups that it may, at the addresses of the sidecar', async () => {
  const admin = bridge.kafka.admin()
  await admin.connect()
  const port = bridge.proxy.ports().get('1')
  assert.ok(port !== undefined && port !== world.broker.port)
  assert.deepEqual((await admin.listTopics()).toSorted(), ['orders', 'payments', 'rebalanced'])
  assert.deepEqual((await admin.describeCluster()).brokers, [{ nodeId: 1, host: '127.0.0.1', port }])
  assert.deepEqual((await admin.listGroups()).groups.map(({ groupId }) => groupId).toSorted(), [
    'orders-readers',
    'pair',
    'payments-readers',
  ])
  const { groups } = await admin.describeGroups(['pair'])
  assert.equal(groups[0]?.groupId, 'pair')
  const [partition] = await admin.fetchTopicOffsets('payments')
  assert.equal(typeof partition?.high, 'string')
  const offsets = await admin.fetchOffsets({ groupId: 'orders-readers', topics: ['orders'] })
  assert.equal(
    offsets[0]?.partitions.reduce((sum, { offset }) => sum + Number(offset), 0),
    51,
  )
  await admin.disconnect()
})

test('two hundred connections work at once and leave nothing behind', async () => {
  const clients = Array.from({ length: 200 }, (_, i) =>
    kafkaAt(bridge.proxy.port, { clientId: `c${i}` }).admin(),
  )
  const counts = await Promise.all(
    clients.map(async (client) => {
      await client.connect()
      return (await client.listTopics()).length
    }),
  )
  assert.deepEqual(new Set(counts), new Set([3]))
  await Promise.all(clients.map((client) => client.disconnect()))
  await eventually('all are closed', async () => {
    const [open] = (await bridge.metrics.gauge('weft_kafka_connections').get()).values
    return open?.value === 0
  })
})
