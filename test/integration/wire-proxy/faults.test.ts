/** What is not Kafka, and brokers that come and go: one connection pays, nobody else. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { startBroker } from '@weft/control-plane/cli/broker'
import { PRODUCE } from '../../../broker-bridge/src/wire/00-produce.ts'
import { FETCH } from '../../../broker-bridge/src/wire/01-fetch.ts'
import { API_VERSIONS } from '../../../broker-bridge/src/wire/18-api-versions.ts'
import { fetchRequest, RawClient } from './raw-client.ts'
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
  await createTopics(world, 'orders')
  bridge = await startBridge(world, [allow('orders', ['produce', 'consume'], ['readers'])])
})

after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const hostile: Record<string, { readonly bytes: Buffer; readonly reason: string }> = {
  'an HTTP request': { bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), reason: 'payload_too_large' },
  'a TLS hello': { bytes: Buffer.from('16030100ca010000c60303', 'hex'), reason: 'payload_too_large' },
  'a length of 2 GB': {
    bytes: Buffer.from('7fffffff0003000500000001ffff', 'hex'),
    reason: 'payload_too_large',
  },
  'a negative length': {
    bytes: Buffer.from('ffffffff0003000500000001ffff', 'hex'),
    reason: 'invalid_request',
  },
  'an unknown API key': {
    bytes: Buffer.from('0000000a2fff000000000001ffff', 'hex'),
    reason: 'not_implemented',
  },
  'a version that nobody has': {
    bytes: Buffer.from('0000000a0003007f00000001ffff', 'hex'),
    reason: 'not_implemented',
  },
  'a request cut short inside': {
    bytes: Buffer.from('0000000e0003000500000001ffff000000ff', 'hex'),
    reason: 'invalid_request',
  },
}

for (const [what, { bytes, reason }] of Object.entries(hostile)) {
  test(`${what} closes its connection, is counted, and hurts nobody else`, async () => {
    const producer = bridge.kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'before' }] })
    const before = await bridge.count('weft_kafka_closed_total', { reason })
    using client = await RawClient.connect(bridge.proxy.port)

    client.write(bytes)
    await client.closed

    assert.equal(await bridge.count('weft_kafka_closed_total', { reason }), before + 1)
    await producer.send({ topic: 'orders', messages: [{ value: 'after' }] })
    await producer.disconnect()
  })
}

test('a request that comes one byte at a time is a request', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  const answer = client.next(1)
  for (const byte of Buffer.from('0000000e0012000000000001000473696c79', 'hex')) {
    client.write(Uint8Array.of(byte))
    await setImmediate()
  }
  assert.equal((await answer).readInt16BE(8), 0)
})

test('a client that is newer than the sidecar is told which versions of ApiVersions there are', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  const newer = { ...API_VERSIONS, versions: [0, 9] as const }
  client.send(newer, 9, { clientSoftwareName: 'new', clientSoftwareVersion: '9', tags: [] })
  const v0 = await client.next()
  assert.equal(v0.toString('hex', 8), '002300000001001200000004')
})

test('the versions that are offered are those that both know', async () => {
  using client = await RawClient.connect(bridge.proxy.port)
  const { apiKeys } = await client.ask(API_VERSIONS, 3, {
    clientSoftwareName: 'raw',
    clientSoftwareVersion: '1',
    tags: [],
  })
  const offered = new Map(
    apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
  )
  assert.deepEqual(offered.get(0), [0, 13])
  assert.deepEqual(offered.get(1), [4, 18])
  assert.deepEqual(offered.get(3), [4, 13]) // the broker has it from 0
  assert.equal(offered.has(85), false) // WriteShareGroupState: between brokers only
})

test('a mesh without a Kafka cluster closes the connection and says why', async () => {
  await using none = await startBridge(world, [])
  const { kafka: _, ...without } = none.snapshots.current().snapshot
  none.snapshots.replace(without)
  using client = await RawClient.connect(none.proxy.port)
  const asked = client.ask(API_VERSIONS, 0, { clientSoftwareName: '', clientSoftwareVersion: '', tags: [] })
  await assert.rejects(asked)
  assert.equal(await none.count('weft_kafka_closed_total', { reason: 'unavailable' }), 1)
})

test('of several bootstrap servers one that answers is enough', async () => {
  await using half = await startBridge(world, [allow('orders', ['produce'])], {
    kafka: { bootstrapServers: ['127.0.0.1:1', ...world.broker.bootstrapServers], security: 'plaintext' },
  })
  for (let i = 0; i < 2; i++) {
    const admin = half.kafka.admin()
    await admin.connect()
    assert.deepEqual(await admin.listTopics(), ['orders'])
    await admin.disconnect()
  }
})

test('draining ends what is in flight, refuses what is new, and leaves no port', async () => {
  const other = await startBridge(world, [allow('orders', ['produce'])])
  const admin = kafkaAt(other.proxy.port).admin()
  await admin.connect()
  await other.proxy.drain(5_000)
  await assert.rejects(RawClient.connect(other.proxy.port))
  await admin.disconnect().catch(() => {})
})

test('clients recover when the broker restarts', async (t) => {
  const got: string[] = []
  let isOver = false
  // The restarted coordinator waits for the member that it remembers: the session is as short as brokers allow.
  const times = {
    maxWaitTimeInMs: 100,
    sessionTimeout: 6_000,
    rebalanceTimeout: 6_000,
    heartbeatInterval: 500,
  }
  const consumer = bridge.kafka.consumer({ groupId: 'readers', ...times })
  const producer = bridge.kafka.producer()
  t.after(() => {
    isOver = true
    return Promise.all([consumer.disconnect(), producer.disconnect()])
  })
  const start = async () => {
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        got.push(String(message.value))
      },
    })
  }
  // kafkajs gives up for good when a broker that is going down says that it has no coordinator, proxy or not.
  const startAgain = async () => {
    while (!isOver) {
      const isStarted = await start().then(
        () => true,
        () => setTimeout(100, false),
      )
      if (isStarted) return
    }
  }
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) void startAgain()
  })
  await start()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: 'early' }] })
  await eventually('the early record', () => got.includes('early'))
  const ports = bridge.proxy.ports()

  await world.broker.stop()
  world.broker = await startBroker({ dataDir: world.dataDir, port: world.broker.port })
  await producer.send({ topic: 'orders', messages: [{ value: 'late' }] })

  await eventually('the late record', () => got.includes('late'), 60_000)
  assert.deepEqual(bridge.proxy.ports(), ports)
})

const MEGABYTE = 1_000_000
/** What sockets and their buffers may hold: the system's share, not ours, is most of it. */
const MAX_HELD_BYTES = 30 * MEGABYTE

async function fill(topic: string, megabytes: number): Promise<void> {
  const producer = world.direct.producer()
  await producer.connect()
  for (let i = 0; i < megabytes; i++)
    await producer.send({ topic, messages: [{ partition: 0, value: Buffer.alloc(900_000, i) }] })
  await producer.disconnect()
}

test('a client that does not read its answers stops the broker, not the heap', async () => {
  await fill('orders', 3)
  using client = await RawClient.connect(bridge.proxy.port)
  await client.ask(API_VERSIONS, 0, { clientSoftwareName: '', clientSoftwareVersion: '', tags: [] })
  const before = process.memoryUsage().arrayBuffers
  client.pause()
  for (let i = 0; i < 100; i++) client.send(FETCH, 11, fetchRequest('orders', {}))
  let largest = 0
  for (let i = 0; i < 50; i++) {
    await setTimeout(20)
    largest = Math.max(largest, process.memoryUsage().arrayBuffers - before)
  }
  assert.ok(largest < MAX_HELD_BYTES, `${largest} bytes were held for 90 MB of answers`)
})

test('a broker that does not read stops the client, not the heap', async (t) => {
  using client = await RawClient.connect(bridge.proxy.port)
  await client.ask(API_VERSIONS, 0, { clientSoftwareName: '', clientSoftwareVersion: '', tags: [] })
  world.broker.process.kill('SIGSTOP')
  t.after(() => world.broker.process.kill('SIGCONT'))
  const partitions = [{ index: 0, records: Buffer.alloc(MEGABYTE), tags: [] }]
  const message = {
    transactionalId: null,
    acks: 1,
    timeoutMs: 1_000,
    topics: [{ name: 'orders', topicId: Buffer.alloc(16), partitions, tags: [] }],
    tags: [],
  }
  let sent = 0
  while (sent < 100 && client.send(PRODUCE, 7, message) >= 0 && (await client.takesMore(500))) sent++
  assert.ok(sent < MAX_HELD_BYTES / MEGABYTE, `${sent} MB were taken from the client`)
})
