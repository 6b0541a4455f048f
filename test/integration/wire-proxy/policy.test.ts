/** The one policy on the Kafka plane: refusals as Kafka's authorizer gives them, from the next request on. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Consumer } from 'kafkajs'
import { PRODUCE } from '../../../broker-bridge/src/wire/00-produce.ts'
import { FETCH } from '../../../broker-bridge/src/wire/01-fetch.ts'
import { METADATA } from '../../../broker-bridge/src/wire/03-metadata.ts'
import { FIND_COORDINATOR } from '../../../broker-bridge/src/wire/10-find-coordinator.ts'
import { HEARTBEAT } from '../../../broker-bridge/src/wire/12-heartbeat.ts'
import { LEAVE_GROUP } from '../../../broker-bridge/src/wire/13-leave-group.ts'
import { SYNC_GROUP } from '../../../broker-bridge/src/wire/14-sync-group.ts'
import { SHARE_FETCH } from '../../../broker-bridge/src/wire/78-share-fetch.ts'
import { fetchRequest, metadataRequest, RawClient } from './raw-client.ts'
import { allow, type Bridge, createTopics, eventually, startBridge, startWorld, type World } from './world.ts'

let world: World
let bridge: Bridge
const open = [
  allow('orders', ['produce', 'consume'], ['readers', 'flipped', 'long-poll']),
  allow('read-only', ['consume'], ['readers']),
]

before(async () => {
  world = await startWorld({ properties: { 'auto.create.topics.enable': 'true' } })
  await createTopics(world, 'orders', 'read-only', 'secret')
  bridge = await startBridge(world, open)
})
beforeEach(() => bridge.snapshots.change({ policies: open }))

after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const TOPIC_REFUSED = 'TOPIC_AUTHORIZATION_FAILED'
const GROUP_REFUSED = 'GROUP_AUTHORIZATION_FAILED'
const refusedWith = (type: string) => (error: unknown) => errorType(error) === type

/** kafkajs wraps what the broker said; a refused FindCoordinator it turns into a coordinator that was not found. */
function errorType(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('type' in at && typeof at.type === 'string') return at.type
    if (at.name === 'KafkaJSGroupCoordinatorNotFound') return GROUP_REFUSED
  }
  return error instanceof Error && error.message.includes('Topic authorization failed')
    ? TOPIC_REFUSED
    : undefined
}

/** The error that a consumer ends with; kafkajs does not retry a refusal. */
async function crashOf(topic: string, groupId: string): Promise<string | undefined> {
  const consumer = bridge.kafka.consumer({ groupId, maxWaitTimeInMs: 100, retry: { retries: 0 } })
  const crashed = new Promise<Error>((resolve) =>
    consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error)),
  )
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async () => {} })
    return errorType(await crashed)
  } catch (error) {
    return errorType(error)
  } finally {
    await consumer.disconnect()
  }
}

test('a producer is refused a topic that it may not see, and one that it may only read', async () => {
  const producer = bridge.kafka.producer({ retry: { retries: 0 } })
  await producer.connect()
  for (const topic of ['secret', 'read-only'])
    await assert.rejects(producer.send({ topic, messages: [{ value: 'x' }] }), refusedWith(TOPIC_REFUSED))
  await producer.disconnect()

  const refusal = bridge.logged.find(
    ({ target, action }) => target === 'topic/read-only' && action === 'produce',
  )
  assert.equal(refusal?.msg, 'refused by policy')
  assert.equal(refusal?.identity, 'spiffe://weft.local/ns/default/sa/billing-service')
  assert.equal(refusal?.reason, 'no-policy-allows')
  assert.equal(
    await bridge.count('weft_policy_refused_total', { target: 'topic/read-only', mode: 'enforce' }),
    1,
  )
  assert.equal(await bridge.count('weft_kafka_records_total', { topic: 'read-only', outcome: 'refused' }), 1)
})

test('of a mixed batch the permitted topic is written and the refused one is named', async () => {
  const producer = bridge.kafka.producer()
  await producer.connect()
  const topicMessages = ['orders', 'read-only'].map((topic) => ({ topic, messages: [{ value: 'mixed' }] }))
  await assert.rejects(producer.sendBatch({ topicMessages }), refusedWith(TOPIC_REFUSED))
  await producer.disconnect()

  const high = async (topic: string) => {
    const admin = world.direct.admin()
    await admin.connect()
    const offsets = await admin.fetchTopicOffsets(topic)
    await admin.disconnect()
    return offsets.reduce((sum, partition) => sum + Number(partition.high), 0)
  }
  assert.equal(await high('orders'), 1)
  assert.equal(await high('read-only'), 0)
})

test('a consumer is refused a topic and a group that no policy gives it', async () => {
  assert.equal(await crashOf('secret', 'readers'), TOPIC_REFUSED)
  assert.equal(await crashOf('orders', 'somebody-elses-group'), GROUP_REFUSED)
  assert.ok(bridge.logged.some(({ target }) => target === 'group/somebody-elses-group'))
})

async function startConsumer(groupId: string, got: string[]): Promise<Consumer> {
  const consumer = bridge.kafka.consumer({ groupId, maxWaitTimeInMs: 20_000 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders' })
  const joined = new Promise((resolve) => consumer.on(consumer.events.FETCH_START, resolve))
  await consumer.run({
    eachMessage: async ({ message }) => {
      got.push(String(message.value))
    },
  })
  await joined
  return consumer
}

test('a policy that changes holds for the next request of an open connection, both ways', async () => {
  const producer = bridge.kafka.producer()
  await producer.connect()
  const send = () => producer.send({ topic: 'orders', messages: [{ value: 'flip' }] })
  await send()
  const deny = { ...allow('orders', ['produce']), name: 'closed', action: 'deny' as const }

  bridge.snapshots.change({ policies: [...open, deny] })
  await assert.rejects(send(), refusedWith(TOPIC_REFUSED))
  const refusal = bridge.logged.findLast(({ action }) => action === 'produce')
  assert.equal(refusal?.policy, 'default/closed')
  assert.equal(refusal?.reason, 'denied-by-policy')

  bridge.snapshots.change({ policies: open })
  await send()
  await producer.disconnect()
})

test('records that arrive at a fetch already waiting when the topic was closed are not delivered', async (t) => {
  const got: string[] = []
  const consumer = await startConsumer('long-poll', got)
  t.after(() => consumer.disconnect())
  const crashed = new Promise<Error>((resolve) =>
    consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error)),
  )
  // The fetch that is on its way was permitted; the record comes after the policy went.
  bridge.snapshots.change({ policies: [allow('read-only', ['consume'], ['long-poll'])] })
  const producer = world.direct.producer()
  await producer.connect()
  await producer.send({
    topic: 'orders',
    messages: [
      { partition: 0, value: 'late' },
      { partition: 1, value: 'late' },
    ],
  })
  await producer.disconnect()

  assert.equal(errorType(await crashed), TOPIC_REFUSED)
  assert.deepEqual(got, [])
})

test('every group request is answered as Kafka answers it, without asking the broker', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  const groupId = 'somebody-elses-group'
  const member = { groupId, generationId: 1, memberId: 'm', groupInstanceId: null, tags: [] }
  const codes = [
    (await client.ask(FIND_COORDINATOR, 2, { key: groupId, keyType: 0, coordinatorKeys: [], tags: [] }))
      .errorCode,
    (await client.ask(HEARTBEAT, 4, member)).errorCode,
    (await client.ask(SYNC_GROUP, 5, { ...member, protocolType: null, protocolName: null, assignments: [] }))
      .errorCode,
    (await client.ask(LEAVE_GROUP, 5, { groupId, memberId: '', members: [], tags: [] })).errorCode,
  ]
  assert.deepEqual(codes, [30, 30, 30, 30])
})

test('answers keep the order of the requests, those of the broker and those made here', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  const ask = (name: string) => client.ask(METADATA, 5, metadataRequest(name))
  const refused = (groupId: string) =>
    client.ask(HEARTBEAT, 4, { groupId, generationId: 1, memberId: 'm', groupInstanceId: null, tags: [] })
  // One write of everything: RawClient fails on an answer whose correlation id is not the next one.
  const answers = await Promise.all([ask('orders'), refused('x'), ask('secret'), refused('y'), ask('orders')])
  assert.equal(answers.length, 5)
})

test('a fetch session is not opened, and one that is not known is refused', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  const full = await client.ask(FETCH, 11, fetchRequest('orders', { sessionId: 0, sessionEpoch: 0 }))
  assert.equal(full.errorCode, 0)
  assert.equal(full.sessionId, 0)
  assert.equal(full.topics.length, 1)
  const incremental = await client.ask(FETCH, 11, fetchRequest('orders', { sessionId: 77, sessionEpoch: 3 }))
  assert.equal(incremental.errorCode, 70)
  const asReplica = await client.ask(FETCH, 11, { ...fetchRequest('orders', {}), replicaId: 1 })
  assert.equal(asReplica.topics[0]?.partitions[0]?.errorCode, 29)
})

test('a topic that a policy opens comes into a share session that was begun without it', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  const { topics } = await client.ask(METADATA, 12, { ...metadataRequest('orders'), topics: null })
  const orders = topics.find(({ name }) => name === 'orders')?.topicId ?? Buffer.alloc(16)
  const group = allow('orders', ['consume'], ['sharing'])
  const closed = { ...group, name: 'group', target: { group: 'sharing' } }
  bridge.snapshots.change({ policies: [closed] })
  const fetchOf = (shareSessionEpoch: number, names: readonly Buffer[]) =>
    client.ask(SHARE_FETCH, 1, {
      ...{ groupId: 'sharing', memberId: 'gs3uhsxzQBa5ZgbuPxSIVQ', shareSessionEpoch },
      ...{ maxWaitMs: 10, minBytes: 0, maxBytes: 1_000_000, maxRecords: 100, batchSize: 100 },
      ...{ shareAcquireMode: 0, isRenewAck: false },
      topics: names.map((topicId) => ({
        topicId,
        partitions: [{ index: 0, acknowledgementBatches: [], tags: [] }],
        tags: [],
      })),
      forgottenTopicsData: [],
      tags: [],
    })

  const opened = await fetchOf(0, [orders])
  assert.deepEqual(
    opened.responses.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
    [[29]],
  )
  assert.notEqual((await fetchOf(1, [])).errorCode, 122, 'nothing has changed')
  bridge.snapshots.change({ policies: [closed, group] })
  assert.equal((await fetchOf(2, [])).errorCode, 122)
  assert.equal((await fetchOf(0, [orders])).responses[0]?.partitions[0]?.errorCode ?? 0, 0)
  assert.notEqual((await fetchOf(1, [])).errorCode, 122, 'the new session has all of its topics')
})

test('with acks=0 a refusal closes the connection, as Kafka does', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  const partitions = [{ index: 0, records: null, tags: [] }]
  const topics = [{ name: 'read-only', topicId: Buffer.alloc(16), partitions, tags: [] }]
  client.send(PRODUCE, 7, { transactionalId: null, acks: 0, timeoutMs: 1_000, topics, tags: [] })
  await client.closed
  assert.equal(await bridge.count('weft_kafka_closed_total', { reason: 'permission_denied' }), 1)
})

test('asking for a topic does not create it unless it may be created', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  bridge.snapshots.change({ policies: [...open, allow('new-*', ['consume'])] })
  const { topics } = await client.ask(METADATA, 5, metadataRequest('new-topic'))
  assert.equal(topics[0]?.errorCode, 3) // UNKNOWN_TOPIC_OR_PARTITION

  bridge.snapshots.change({ policies: [...open, allow('new-*', ['consume', 'create'])] })
  await client.ask(METADATA, 5, metadataRequest('new-topic'))
  await eventually('the topic', async () => {
    const answer = await client.ask(METADATA, 5, metadataRequest('new-topic'))
    return answer.topics[0]?.errorCode === 0
  })
})
