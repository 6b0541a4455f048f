import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startBroker } from '@weft/control-plane/cli/broker'
import { makeTopics } from '../../process/topics.ts'
import {
  App,
  type Bridge,
  createTopic,
  denies,
  type readTopic,
  snapshotOf,
  startBridge,
  startWorld,
  subscriptionEntry,
  topicEntry,
  type World,
} from './world.ts'

let world: World
let bridge: Bridge

before(async () => {
  world = await startWorld()
  for (const topic of ['orders', 'payments', 'secret', 'large', 'late', 'restarted', 'siblings'])
    await createTopic(world, topic, 2)
  const configEntries = [{ name: 'max.message.bytes', value: '2000' }]
  await makeTopics(world.admin, [{ topic: 'small', numPartitions: 1, configEntries }])
  const topics = ['orders', 'payments', 'small', 'secret', 'large', 'late', 'restarted', 'siblings'].map(
    (name) => topicEntry(name),
  )
  const policies = [denies('secret')]
  bridge = await startBridge(snapshotOf(world.broker.bootstrapServers, { topics, policies }))
})
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const event = (id: string, topic: string | undefined, part: Record<string, unknown> = {}) => ({
  ...{ specversion: '1.0', id, source: '/shop', type: 'T' },
  ...(topic !== undefined && { topic }),
  ...part,
})

const commit = (events: unknown, headers: Record<string, string> = {}) =>
  fetch(`${bridge.url}/v1/transactions`, {
    method: 'POST',
    body: JSON.stringify(events),
    headers: { 'content-type': 'application/cloudevents-batch+json', ...headers },
  })

test('events over several topics are stored together, each at the place that is answered', async () => {
  const response = await commit([
    event('o1', 'orders', { partitionkey: 'k', data: { total: 3 } }),
    event('p1', 'payments', { datacontenttype: 'text/plain', data: 'paid' }),
    event('o2', 'orders', { partitionkey: 'k' }),
  ])
  assert.equal(response.status, 200, await response.clone().text())
  const results = (await response.json()) as {
    topic: string
    partition: number
    offset: string
    id: string
  }[]
  assert.deepEqual(
    results.map(({ topic, id }) => [topic, id]),
    [
      ['orders', 'o1'],
      ['payments', 'p1'],
      ['orders', 'o2'],
    ],
  )
  // The marker of the commit takes an offset too.
  const orders = await readUntil('orders', 2)
  for (const { topic, partition, offset, id } of results.filter(({ topic }) => topic === 'orders')) {
    const record = orders.find((each) => each.partition === partition && String(each.offset) === offset)
    assert.equal(record?.headers.ce_id, id, topic)
    assert.equal(record?.headers.ce_topic, undefined)
    assert.equal(record?.key, 'k')
  }
})

/** Committed records of a topic, as far as there are `count` of them. */
async function readUntil(topic: string, count: number) {
  const consumer = world.kafka.consumer({ groupId: `reader-${Math.random()}`, readUncommitted: false })
  const stored: Awaited<ReturnType<typeof readTopic>> = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const { promise, resolve } = Promise.withResolvers<void>()
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries(message.headers ?? {})) headers[name] = String(value)
      const { offset, key, value } = message
      stored.push({
        partition,
        offset: Number(offset),
        key: key?.toString(),
        value: value?.toString(),
        headers,
      })
      if (stored.length >= count) resolve()
    },
  })
  await promise
  await consumer.disconnect()
  return stored
}

test('of a transaction in which one event cannot be stored nothing is', async () => {
  const failed = await commit([event('lost', 'payments'), event('big', 'small', { data: 'x'.repeat(5_000) })])
  assert.equal(failed.status, 413, await failed.text())
  assert.equal((await commit([event('after', 'payments')])).status, 200)
  const seen = await readUntil('payments', 2)
  assert.deepEqual(new Set(seen.map(({ headers }) => headers.ce_id)), new Set(['after', 'p1']))
})

test('faults and refusals come before anything is begun', async () => {
  const nameless = await commit([event('a', 'orders'), event('b', undefined)])
  assert.equal(nameless.status, 400)
  assert.match(((await nameless.json()) as { detail: string }).detail, /\[1\]\.topic/)
  assert.equal((await commit([event('a', 'orders'), event('b', 'secret')])).status, 403)
  assert.equal((await commit([event('a', 'orders'), event('b', 'nowhere')])).status, 404)
  assert.equal((await commit([event('a', 'orders')], { 'content-type': 'application/json' })).status, 415)
  assert.equal((await fetch(`${bridge.url}/v1/transactions`)).status, 405)
})

test('many transactions at once all get their turn', async () => {
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      commit([event(`m${index}`, 'orders'), event(`n${index}`, 'payments')]),
    ),
  )
  assert.ok(answers.every(({ status }) => status === 200))
})

test('more than a batch of one partition is stored in order, each record where it is said to be', async () => {
  const events = Array.from({ length: 40 }, (_, index) =>
    event(`b${index}`, 'large', { partitionkey: 'k', data: 'x'.repeat(100_000) }),
  )
  const response = await commit(events)
  assert.equal(response.status, 200, await response.clone().text())
  const results = (await response.json()) as { partition: number; offset: string; id: string }[]
  const stored = await readUntil('large', events.length)
  assert.deepEqual(
    results.map(({ offset, id }) => [Number(offset), id]),
    stored.map(({ offset, headers }) => [offset, headers.ce_id]),
  )
})

test('of a transaction that did not end in time nothing is seen, and the next ones go on', async () => {
  const tries = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      commit([event(`late${index}`, 'late')], { 'weft-timeout-ms': String(1 + index) }),
    ),
  )
  const committed = tries.flatMap(({ status }, index) => (status === 200 ? [`late${index}`] : []))
  assert.ok(committed.length < tries.length, 'none was too late')
  assert.ok(tries.every(({ status }) => status === 200 || status === 503))
  for (let index = 0; index < 8; index++)
    assert.equal((await commit([event(`next${index}`, 'late')])).status, 200)
  const seen = (await readUntil('late', committed.length + 8)).map(({ headers }) => headers.ce_id)
  const next = Array.from({ length: 8 }, (_, index) => `next${index}`)
  // What nobody knew the end of may have been stored; what was said to be is.
  assert.deepEqual(
    [...committed, ...next].filter((id) => !seen.includes(id)),
    [],
  )
})

test('of a transaction that fails in one partition nothing is stored by the next, however much was still to be written', async () => {
  const large = { partitionkey: 'k', data: 'x'.repeat(400_000) }
  for (let round = 0; round < 12; round++) {
    const events = Array.from({ length: 16 }, (_, index) => event(`lost${round}-${index}`, 'siblings', large))
    const failing = Array.from({ length: 4 }, () =>
      commit([...events, event('big', 'small', { data: 'x'.repeat(5_000) })]),
    )
    for (const { status } of await Promise.all(failing)) assert.equal(status, 413)
    const next = Array.from({ length: 4 }, (_, index) =>
      commit([event(`kept${round}-${index}`, 'siblings', { partitionkey: 'k' })]),
    )
    for (const answer of await Promise.all(next)) assert.equal(answer.status, 200, await answer.text())
  }
  // kafkajs does not leave out what was aborted in a fetch before that of its marker: a subscription of our own reads.
  await using app = await App.start()
  const topics = [topicEntry('siblings')]
  const subscriptions = [subscriptionEntry('siblings')]
  await using reader = await startBridge(
    snapshotOf(world.broker.bootstrapServers, { topics, subscriptions }),
    { appPort: app.port },
  )
  assert.ok(reader.url)
  await app.until(
    (got) => got.filter(({ headers }) => String(headers['ce-id']).startsWith('kept')).length === 48,
  )
  assert.equal(app.got.length, 48)
})

test('a broker that stops and comes back is waited for, and nothing is stored twice', async (t) => {
  const before = await commit([event('r0', 'restarted')])
  assert.equal(before.status, 200)
  const port = world.broker.port
  await world.broker.stop()
  const waiting = commit([event('r1', 'restarted'), event('r2', 'restarted')], { 'weft-timeout-ms': '60000' })
  const again = await startBroker({ dataDir: world.dataDir, port })
  t.after(() => again.stop(5_000))
  const answer = await waiting
  assert.equal(answer.status, 200, await answer.text())
  const seen = (await readUntil('restarted', 3)).map(({ headers }) => headers.ce_id)
  assert.equal(seen.length, 3)
  assert.deepEqual(new Set(seen), new Set(['r0', 'r1', 'r2']))
})
