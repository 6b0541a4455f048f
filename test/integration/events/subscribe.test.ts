import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { makeTopics } from '../../process/topics.ts'
import {
  App,
  committed,
  createTopic,
  type Delivery,
  denies,
  eventually,
  type Reply,
  readTopic,
  snapshotOf,
  startBridge,
  startWorld,
  subscriptionEntry,
  topicEntry,
  type World,
} from './world.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world[Symbol.asyncDispose]())

/** A topic of its own with its dead letter, an app, and the event API between them. */
async function scene(
  topic: string,
  options: { reply?: (delivery: Delivery) => Reply | Promise<Reply>; partitions?: number } = {},
) {
  await createTopic(world, topic, options.partitions ?? 1)
  await createTopic(world, `${topic}.dlt`)
  const app = await App.start(options.reply)
  const snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics: [topicEntry(topic)],
    subscriptions: [subscriptionEntry(topic)],
  })
  const bridge = await startBridge(snapshots, { appPort: app.port })
  return {
    app,
    snapshots,
    bridge,
    send: (messages: { key?: string; value: string | null; headers?: Record<string, string> }[]) =>
      send(topic, messages),
    untilCommitted: (offset: number) =>
      eventually(async () => (await committed(world, `${topic}-group`, topic)).get(0) === offset),
    async [Symbol.asyncDispose]() {
      await bridge[Symbol.asyncDispose]()
      await app[Symbol.asyncDispose]()
    },
  }
}

async function send(
  topic: string,
  messages: { key?: string; value: string | null; headers?: Record<string, string> }[],
): Promise<void> {
  const producer = world.kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages })
  await producer.disconnect()
}

const bodies = (got: readonly Delivery[]) => got.map(({ body }) => String(body))

test('a CloudEvent arrives in binary mode, any other record as its bytes', async () => {
  await using at = await scene('arrive')
  await at.send([
    {
      key: 'customer 7',
      value: '{"a":1}',
      headers: {
        ce_specversion: '1.0',
        ce_id: '1',
        ce_source: '/s',
        ce_type: 'T',
        ce_subject: 'café',
        'content-type': 'application/json',
        tenant: 'blue',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
        baggage: 'user=7',
      },
    },
    { value: 'plain', headers: { 'content-type': 'text/plain' } },
    { key: 'gone', value: null },
  ])
  await at.app.until((got) => got.length === 3)
  const [event, plain, tombstone] = [...at.app.got].sort((a, b) => a.offset - b.offset)
  assert.equal(String(event?.body), '{"a":1}')
  const { host: _host, connection: _connection, traceparent, ...headers } = event?.headers ?? {}
  assert.match(
    String(traceparent),
    /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-00$/,
  )
  assert.deepEqual(headers, {
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': '/s',
    'ce-type': 'T',
    'ce-subject': 'caf%C3%A9',
    'content-type': 'application/json',
    'content-length': '7',
    'weft-header-tenant': 'blue',
    'weft-topic': 'arrive',
    'weft-partition': '0',
    'weft-offset': '0',
    'weft-key': 'customer%207',
    'weft-attempt': '1',
    'weft-subscription': 'on-arrive',
    baggage: 'user=7',
  })
  assert.equal(plain?.headers['content-type'], 'text/plain')
  assert.equal(plain?.headers['ce-id'], undefined)
  assert.equal(tombstone?.headers['weft-tombstone'], 'true')
  await at.untilCommitted(3)
})

test('a failing event is retried in the order of its key while other keys go on', async () => {
  let failures = 3
  await using at = await scene('retry', {
    reply: ({ body }) =>
      String(body) === 'a1' && failures-- > 0 ? { status: 503, headers: { 'retry-after': '0' } } : 204,
  })
  await at.send(['a1', 'b1', 'a2', 'b2', 'a3'].map((value) => ({ key: value[0] ?? '', value })))
  await at.untilCommitted(5)
  const got = bodies(at.app.got)
  assert.deepEqual(
    got.filter((body) => body.startsWith('a')),
    ['a1', 'a1', 'a1', 'a1', 'a2', 'a3'],
  )
  assert.deepEqual(
    got.filter((body) => body.startsWith('b')),
    ['b1', 'b2'],
  )
  assert.ok(got.indexOf('b2') < got.lastIndexOf('a1'), 'another key does not wait')
  assert.deepEqual(
    at.app.got.filter(({ body }) => String(body) === 'a1').map(({ attempt }) => attempt),
    [1, 2, 3, 4],
  )
})

test('poison goes to the dead letter at once, what fails for ever after its retries; both as they were', async () => {
  await using at = await scene('poison', {
    reply: ({ body }) => (String(body) === 'poison' ? 422 : String(body) === 'cursed' ? 500 : 204),
  })
  await at.send([
    { key: 'k', value: 'poison', headers: { tenant: 'blue', 'content-type': 'text/plain' } },
    { key: 'k', value: 'good' },
    { value: 'cursed' },
  ])
  await at.untilCommitted(3)
  const letters = await readTopic(world, 'poison.dlt')
  const poison = letters.find(({ value }) => value === 'poison')
  const {
    'weft-dlt-first-attempt': first,
    'weft-dlt-last-attempt': last,
    'weft-dlt-timestamp': written,
    ...headers
  } = poison?.headers ?? {}
  assert.equal(poison?.key, 'k')
  assert.ok([first, last, written].every((time) => Math.abs(Date.parse(time ?? '') - Date.now()) < 60_000))
  assert.deepEqual(headers, {
    tenant: 'blue',
    'content-type': 'text/plain',
    'weft-dlt-topic': 'poison',
    'weft-dlt-partition': '0',
    'weft-dlt-offset': '0',
    'weft-dlt-group': 'poison-group',
    'weft-dlt-subscription': 'on-poison',
    'weft-dlt-error': 'the app answered 422',
    'weft-dlt-attempts': '1',
  })
  const cursed = letters.find(({ value }) => value === 'cursed')
  assert.equal(cursed?.headers['weft-dlt-attempts'], '4', 'the first and three more')
  assert.equal(letters.length, 2)
})

test('weft-action wins over the status: retried after a success, dropped after a failure, given up at once', async () => {
  const actions: Readonly<Record<string, Reply>> = {
    drop: { status: 500, headers: { 'weft-action': 'drop' } },
    dead: { status: 200, headers: { 'weft-action': 'Dead-Letter' } },
    unknown: { status: 204, headers: { 'weft-action': 'forget' } },
  }
  await using at = await scene('action', {
    reply: ({ body, attempt }) =>
      String(body) === 'again' && attempt < 3
        ? { status: 200, headers: { 'weft-action': 'retry' } }
        : (actions[String(body)] ?? 204),
  })
  await at.send(['drop', 'dead', 'unknown', 'again'].map((value) => ({ key: value, value })))
  await at.untilCommitted(4)
  assert.deepEqual(bodies(at.app.got).toSorted(), ['again', 'again', 'again', 'dead', 'drop', 'unknown'])
  const letters = await readTopic(world, 'action.dlt')
  assert.deepEqual(
    letters.map(({ value, headers }) => [value, headers['weft-dlt-error']]),
    [['dead', 'the app answered 200 and weft-action: dead-letter']],
  )
})

test('what has used up its attempts waits in a topic of its own, is tried again from each, and others go on', async () => {
  const retryTopics = [
    { topic: 'later.retry.1', delayMs: 1_000 },
    { topic: 'later.retry.2', delayMs: 1_500 },
  ]
  for (const { topic } of retryTopics) await createTopic(world, topic)
  await using at = await scene('later', {
    reply: ({ body, attempt }) => {
      if (String(body) === 'poison') return attempt < 3 ? 500 : 422
      return String(body) === 'cursed' || (String(body) === 'healed' && attempt < 4) ? 503 : 204
    },
  })
  const retry = { attempts: 1, backoffBaseMs: 1, backoffMaxMs: 1 }
  at.snapshots.change({ subscriptions: [subscriptionEntry('later', { retry, retryTopics })] })
  const began = Date.now()
  await at.send(['healed', 'cursed', 'poison', 'good'].map((value) => ({ key: 'one', value })))
  await at.untilCommitted(4)
  assert.ok(bodies(at.app.got).includes('good'), 'others of its key go on')

  await at.app.until(
    (got) => got.filter(({ body }) => ['healed', 'cursed'].includes(String(body))).length === 8,
  )
  const of = (value: string) => at.app.got.filter(({ body }) => String(body) === value)
  for (const value of ['healed', 'cursed'])
    assert.deepEqual(
      of(value).map(({ topic, partition, attempt }) => [topic, partition, attempt]),
      [1, 2, 3, 4].map((attempt) => ['later', 0, attempt]),
    )
  assert.deepEqual(
    of('healed').map(({ offset }) => offset),
    [0, 0, 0, 0],
  )
  assert.ok(Date.now() - began >= 2_500, 'each has waited')

  await eventually(async () => (await readTopic(world, 'later.dlt')).length === 2)
  const letters = await readTopic(world, 'later.dlt')
  // Poison is not tried a second time from later.
  assert.deepEqual(
    letters
      .map(({ value, key, headers }) => [
        value,
        key,
        headers['weft-dlt-topic'],
        headers['weft-dlt-offset'],
        headers['weft-dlt-attempts'],
      ])
      .toSorted(([a], [b]) => String(a).localeCompare(String(b))),
    [
      ['cursed', 'one', 'later', '1', '4'],
      ['poison', 'one', 'later', '2', '3'],
    ],
  )
  assert.ok(
    letters.every(({ headers }) => !Object.keys(headers).some((name) => name.startsWith('weft-retry-'))),
  )
})

test('while the dead letter cannot be written the partition waits, and nothing is skipped', async () => {
  await createTopic(world, 'blocked', 1)
  await using app = await App.start(({ body }) => (String(body) === 'poison' ? 400 : 204))
  const snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics: [topicEntry('blocked')],
    subscriptions: [subscriptionEntry('blocked', { maxInFlight: 1 })],
  })
  await using _bridge = await startBridge(snapshots, { appPort: app.port })
  await send('blocked', [
    { key: 'a', value: 'before' },
    { key: 'a', value: 'poison' },
    { key: 'b', value: 'after' },
  ])
  await app.until((got) => got.length === 2)
  await eventually(async () => (await committed(world, 'blocked-group', 'blocked')).get(0) === 1)
  assert.deepEqual(bodies(app.got), ['before', 'poison'])
  await createTopic(world, 'blocked.dlt')
  await app.until((got) => got.length === 3)
  await eventually(async () => (await committed(world, 'blocked-group', 'blocked')).get(0) === 3)
  assert.equal((await readTopic(world, 'blocked.dlt')).length, 1)
})

test('an app that is down gets its events when it is back, none lost and none in the dead letter', async () => {
  await using at = await scene('outage')
  await at.send([{ key: 'a', value: '1' }])
  await at.app.until((got) => got.length === 1)
  const { port } = at.app
  await at.app.stop()
  await at.send(Array.from({ length: 50 }, (_, event) => ({ key: `k${event % 5}`, value: String(event) })))
  // Longer than all retries would last.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await using back = await App.start(undefined, port)
  await back.until((got) => got.length === 50)
  await at.untilCommitted(51)
  assert.deepEqual(new Set(bodies(back.got)).size, 50)
  assert.ok(
    back.got.every(({ attempt }) => attempt === 1),
    'nobody listening is no attempt',
  )
  assert.deepEqual(await readTopic(world, 'outage.dlt'), [])
})

test('records are read whatever their compression', async () => {
  // The broker compresses anew as the topic says: what is read is what Kafka's own codecs wrote.
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
    const topic = `compressed-${codec}`
    const configEntries = [{ name: 'compression.type', value: codec }]
    await makeTopics(world.admin, [{ topic, numPartitions: 1, configEntries }])
    await using at = await scene(topic)
    const values = Array.from({ length: 50 }, (_, event) => `${event} ${'text that repeats '.repeat(20)}`)
    await at.send(values.map((value) => ({ key: 'a', value })))
    await at.untilCommitted(50)
    assert.deepEqual(bodies(at.app.got), values, codec)
  }
})

test('of transactions only what was committed is delivered', async () => {
  await using at = await scene('transactions')
  const producer = world.kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  for (const [value, commits] of [
    ['a', false],
    ['b', true],
    ['c', false],
    ['d', true],
  ] as const) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'transactions', messages: [{ key: 'k', value }] })
    await (commits ? transaction.commit() : transaction.abort())
  }
  await producer.disconnect()
  await at.app.until((got) => got.length === 2)
  assert.deepEqual(bodies(at.app.got), ['b', 'd'])
  // Each transaction takes two offsets: its record and its marker.
  await at.untilCommitted(8)
})

test('what policy takes away stops, and comes back where it was', async () => {
  await using at = await scene('policy')
  await at.send([{ value: '1' }])
  await at.untilCommitted(1)
  at.snapshots.change({ policies: [denies('policy')] })
  await eventually(
    async () => (await world.admin.describeGroups(['policy-group'])).groups[0]?.members.length === 0,
  )
  await at.send([{ value: '2' }])
  assert.deepEqual(bodies(at.app.got), ['1'])
  at.snapshots.change({ policies: [] })
  await at.app.until((got) => got.length === 2)
  assert.deepEqual(bodies(at.app.got), ['1', '2'])
})

test('subscriptions come, change and go at run time', async () => {
  await using at = await scene('runtime')
  const [entry] = at.snapshots.current().snapshot.subscriptions
  assert.ok(entry)
  at.snapshots.change({ subscriptions: [] })
  await at.send([{ value: '1' }])
  at.snapshots.change({ subscriptions: [{ ...entry, name: 'renamed' }] })
  await at.app.until((got) => got.length === 1)
  at.snapshots.change({ subscriptions: [{ ...entry, name: 'renamed', timeoutMs: 1 }] })
  assert.equal(at.app.got[0]?.headers['weft-subscription'], 'renamed')
  await at.untilCommitted(1)
})

test('a group that starts at the latest record misses none that comes after its place is on record', async () => {
  await createTopic(world, 'latest')
  await send('latest', [{ value: 'old' }])
  await using app = await App.start()
  const snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics: [topicEntry('latest')],
    subscriptions: [subscriptionEntry('latest', { startAt: 'latest' })],
  })
  const bridge = await startBridge(snapshots, { appPort: app.port })
  await eventually(async () => (await committed(world, 'latest-group', 'latest')).get(0) === 1)
  await bridge.drain(2_000)
  await send('latest', [{ value: 'while away' }])
  await using _again = await startBridge(snapshots, { appPort: app.port })
  await app.until((got) => got.length === 1)
  assert.deepEqual(bodies(app.got), ['while away'])
})

test('a group that starts at a time gets the records of that time and later; of a partition without any, those that come', async () => {
  await createTopic(world, 'timed', 2)
  const at = Date.parse('2026-01-01T00:00:00Z')
  const producer = world.kafka.producer()
  await producer.connect()
  const messages = [-2, -1, 0, 1].map((hours) => ({
    value: `${hours}`,
    partition: 0,
    timestamp: String(at + hours * 3_600_000),
  }))
  await producer.send({
    topic: 'timed',
    messages: [...messages, { value: 'old', partition: 1, timestamp: String(at - 1) }],
  })
  await using app = await App.start()
  const subscription = subscriptionEntry('timed', { startAt: '2026-01-01T01:00:00+01:00' })
  const snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics: [topicEntry('timed')],
    subscriptions: [subscription],
  })
  await using _bridge = await startBridge(snapshots, { appPort: app.port })
  await app.until((got) => got.length === 2)
  await producer.send({ topic: 'timed', messages: [{ value: 'new', partition: 1 }] })
  await app.until((got) => got.length === 3)
  assert.deepEqual(bodies(app.got).toSorted(), ['0', '1', 'new'])
  await producer.disconnect()
})

test('a filter passes over what the subscription is not about, and its offsets are committed', async () => {
  await using at = await scene('filtered')
  const filter = 'event.type == "Created" && headers.tenant != "red" || key == "always"'
  at.snapshots.change({ subscriptions: [subscriptionEntry('filtered', { filter })] })
  const created = { ce_specversion: '1.0', ce_id: '1', ce_source: '/', ce_type: 'Created' }
  await at.send([
    { key: 'a', value: 'blue', headers: { ...created, tenant: 'blue' } },
    { key: 'a', value: 'red', headers: { ...created, tenant: 'red' } },
    { key: 'a', value: 'paid', headers: { ...created, ce_type: 'Paid', tenant: 'blue' } },
    { key: 'always', value: 'no event' },
    { key: 'a', value: 'no tenant', headers: created },
  ])
  await at.untilCommitted(5)
  assert.deepEqual(bodies(at.app.got).toSorted(), ['blue', 'no event'])
})

test('records that retention has deleted are passed, what is left is delivered', async () => {
  await using at = await scene('retention')
  await at.send(['1', '2', '3', '4'].map((value) => ({ key: 'k', value })))
  await at.untilCommitted(4)
  await at.bridge.drain(2_000)
  await at.send(['5', '6', '7', '8'].map((value) => ({ key: 'k', value })))
  await world.admin.deleteTopicRecords({ topic: 'retention', partitions: [{ partition: 0, offset: '6' }] })
  await using _again = await startBridge(at.snapshots, { appPort: at.app.port })
  await at.app.until((got) => got.length === 6)
  assert.deepEqual(bodies(at.app.got).slice(4), ['7', '8'])
  await at.untilCommitted(8)
})

test('partitions that are added later are consumed too', async () => {
  await using at = await scene('growing')
  await at.send([{ value: 'first' }])
  await at.app.until((got) => got.length === 1)
  await world.admin.createPartitions({ topicPartitions: [{ topic: 'growing', count: 4 }] })
  const producer = world.kafka.producer({ metadataMaxAge: 0 })
  await producer.connect()
  await producer.send({
    topic: 'growing',
    messages: [1, 2, 3].map((partition) => ({ partition, value: String(partition) })),
  })
  await producer.disconnect()
  await at.app.until((got) => got.length === 4)
})

test('draining ends the attempts under way, commits them, and leaves the group', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  await using at = await scene('drained', {
    reply: async () => {
      await released
      return 204
    },
  })
  await at.send([
    { key: 'a', value: '1' },
    { key: 'a', value: '2' },
  ])
  // The reply waits, so the delivery is seen when it has begun.
  await eventually(async () => at.app.got.length === 1)
  const drained = at.bridge.drain(5_000)
  release()
  await drained
  assert.deepEqual(bodies(at.app.got), ['1'], 'nothing new is begun')
  assert.equal((await committed(world, 'drained-group', 'drained')).get(0), 1)
  assert.equal((await world.admin.describeGroups(['drained-group'])).groups[0]?.members.length, 0)
})
