import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { makeTopics } from '../../process/topics.ts'
import {
  type Bridge,
  createTopic,
  readTopic,
  snapshotOf,
  startBridge,
  startWorld,
  topicEntry,
  type World,
} from './world.ts'

let world: World
let bridge: Bridge
const TOPICS = ['orders', 'mixed', 'placed', 'compacted', 'once']

before(async () => {
  world = await startWorld()
  for (const topic of TOPICS) if (topic !== 'mixed') await createTopic(world, topic, 3)
  const configEntries = [{ name: 'max.message.bytes', value: '2000' }]
  await makeTopics(world.admin, [{ topic: 'mixed', numPartitions: 1, configEntries }])
  const topics = TOPICS.map((name) => topicEntry(name))
  bridge = await startBridge(snapshotOf(world.broker.bootstrapServers, { topics }))
})
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const publish = (topic: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${bridge.url}/v1/topics/${topic}/events`, { method: 'POST', body, headers })

const BATCH = { 'content-type': 'application/cloudevents-batch+json' }
const event = (id: string, part: Record<string, unknown> = {}) => ({
  specversion: '1.0',
  id,
  source: '/shop',
  type: 'OrderCreated',
  ...part,
})
type Result = { id: string; partition?: number; offset?: string; problem?: { status: number; code: string } }

test('a batch of CloudEvents is stored in order per key, and each event is answered', async () => {
  const ids = Array.from({ length: 100 }, (_, index) => String(index))
  const events = ids.map((id) => event(id, { partitionkey: `k${Number(id) % 5}`, data: { id } }))
  const response = await publish('orders', JSON.stringify(events), BATCH)
  assert.equal(response.status, 200)
  const results = (await response.json()) as Result[]
  assert.deepEqual(
    results.map(({ id }) => id),
    ids,
  )
  const stored = await readTopic(world, 'orders')
  for (const { id, partition, offset } of results) {
    const record = stored.find((each) => each.partition === partition && String(each.offset) === offset)
    assert.equal(record?.headers.ce_id, id)
    assert.equal(record?.value, `{"id":"${id}"}`)
  }
  for (const key of ['k0', 'k1', 'k2', 'k3', 'k4']) {
    const mine = stored.filter((record) => record.key === key).map(({ headers }) => Number(headers.ce_id))
    assert.deepEqual(
      mine,
      mine.toSorted((a, b) => a - b),
    )
  }
})

test('of a batch that the broker stores in part each event says what became of it', async () => {
  const events = ['a', 'b', 'c'].map((id) => event(id, { data: 'x'.repeat(id === 'b' ? 5_000 : 10) }))
  const response = await publish('mixed', JSON.stringify(events), BATCH)
  assert.equal(response.status, 207)
  const results = (await response.json()) as Result[]
  assert.deepEqual(
    results.map(({ id, offset, problem }) => [id, offset ?? problem?.code]),
    [
      ['a', '0'],
      ['b', 'WEFT4002'],
      ['c', '1'],
    ],
  )
})

test('a batch with a fault is refused whole', async () => {
  const response = await publish('orders', JSON.stringify([event('x'), event('')]), BATCH)
  assert.equal(response.status, 400)
  assert.match(((await response.json()) as { detail: string }).detail, /\[1\]\.id/)
  const large = await publish('orders', JSON.stringify([event('x', { data: 'y'.repeat(1_100_000) })]), BATCH)
  assert.equal(large.status, 413)
  assert.match(((await large.json()) as { detail: string }).detail, /\[0\] has/)
})

test('partition and timestamp are the ones that were asked for', async () => {
  const headers = { 'weft-partition': '2', 'weft-timestamp': '2020-01-01T00:00:00Z' }
  const answer = (await (await publish('placed', 'x', headers)).json()) as Result
  assert.equal(answer.partition, 2)
  const [offset] = await world.admin.fetchTopicOffsetsByTimestamp('placed', 1_577_836_800_000)
  assert.ok(offset !== undefined)
  const found = await world.admin.fetchTopicOffsetsByTimestamp('placed', 1_577_836_800_001)
  assert.equal(found.find(({ partition }) => partition === 2)?.offset, '1', 'none is later')
  for (const wrong of [
    { 'weft-partition': '3' },
    { 'weft-partition': '-1' },
    { 'weft-timestamp': 'yesterday' },
  ])
    assert.equal((await publish('placed', 'x', wrong)).status, 400)
})

test('a tombstone is a key without a value', async () => {
  const headers = { 'weft-tombstone': 'true', 'weft-key': 'gone' }
  assert.equal((await publish('compacted', '', headers)).status, 200)
  const [record] = await readTopic(world, 'compacted')
  assert.equal(record?.key, 'gone')
  assert.equal(record?.value, undefined)
  assert.equal((await publish('compacted', 'x', headers)).status, 400)
  assert.equal((await publish('compacted', '', { 'weft-tombstone': 'true' })).status, 400)
})

test('a request that is repeated with its idempotency key is stored once and answered alike', async () => {
  const headers = { 'idempotency-key': 'order-1' }
  const answers = await Promise.all([1, 2, 3].map(() => publish('once', 'x', headers)))
  const bodies = await Promise.all(answers.map((answer) => answer.text()))
  assert.equal(new Set(bodies).size, 1)
  assert.equal(await (await publish('once', 'x', headers)).text(), bodies[0])
  assert.equal((await publish('once', 'y', headers)).status, 400)
  assert.equal((await readTopic(world, 'once')).length, 1)
})
