import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { makeTopics } from '../../process/topics.ts'
import type { Snapshots } from '../../process/workload.ts'
import {
  type Bridge,
  createTopic,
  denies,
  readTopic,
  snapshotOf,
  startBridge,
  startWorld,
  topicEntry,
  type World,
} from './world.ts'

let world: World
let snapshots: Snapshots
let bridge: Bridge
const TOPICS = ['orders', 'keys', 'parallel', 'raw', 'tight', 'ghost', 'secret']

before(async () => {
  world = await startWorld()
  for (const topic of TOPICS) if (topic !== 'ghost') await createTopic(world, topic, topic === 'keys' ? 4 : 1)
  const topics = TOPICS.map((topic) => topicEntry(topic, topic === 'tight' ? 1_000 : undefined))
  snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics,
    policies: [denies('secret'), denies('nowhere')],
  })
  bridge = await startBridge(snapshots)
})
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const publish = (topic: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${bridge.url}/v1/topics/${topic}/events`, { method: 'POST', body, headers })

/** The status of the answer to a request that `fetch` would not send. */
async function statusOf(outgoing: ClientRequest): Promise<number | undefined> {
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  answer.resume()
  return answer.statusCode
}

/** The problem document of an answer, its status and media type checked. */
async function problemOf(response: Response, status: number): Promise<Record<string, unknown>> {
  assert.equal(response.status, status)
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
  return (await response.json()) as Record<string, unknown>
}

test('a CloudEvent in binary mode is stored in Kafka binary mode and its place is answered', async () => {
  const response = await publish('orders', '{"total":3}', {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': 'o-1',
    'ce-source': '/shop',
    'ce-type': 'OrderCreated',
    'ce-subject': 'caf%C3%A9',
    'ce-partitionkey': 'customer-7',
    'weft-header-tenant': 'blue',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
    tracestate: 'a=1',
    baggage: 'user=7',
  })
  assert.equal(response.status, 200)
  const answer = (await response.json()) as Record<string, unknown>
  assert.deepEqual(answer, { topic: 'orders', partition: 0, offset: '0', id: 'o-1' })
  assert.match(
    response.headers.get('traceparent') ?? '',
    /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/,
  )

  const [record] = await readTopic(world, 'orders')
  assert.equal(record?.key, 'customer-7')
  assert.equal(record?.value, '{"total":3}')
  const { traceparent, ...headers } = record?.headers ?? {}
  assert.equal(
    traceparent,
    response.headers.get('traceparent'),
    'the record carries the span of its publication',
  )
  assert.deepEqual(headers, {
    ce_specversion: '1.0',
    ce_id: 'o-1',
    ce_source: '/shop',
    ce_type: 'OrderCreated',
    ce_subject: 'café',
    ce_partitionkey: 'customer-7',
    'content-type': 'application/json',
    tenant: 'blue',
    tracestate: 'a=1',
    baggage: 'user=7',
  })
})

test('any other body is stored as its bytes, without an envelope, with an id to recognise it by', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const response = await publish('raw', bytes, { 'content-type': 'image/png' })
  assert.equal(response.status, 200)
  const { id } = (await response.json()) as { id: string }
  const [record] = await readTopic(world, 'raw')
  assert.equal(record?.value, Buffer.from(bytes).toString())
  assert.equal(record?.key, undefined)
  const { traceparent: _, ...headers } = record?.headers ?? {}
  assert.deepEqual(headers, { 'content-type': 'image/png', 'weft-id': id })
})

test('keys go to the partition that the Java client would choose, and keep their order', async () => {
  const sent = []
  for (let round = 0; round < 5; round++)
    for (const key of ['a', 'b', 'c', 'd'])
      sent.push(await publish('keys', String(round), { 'weft-key': key }))
  assert.ok(sent.every(({ status }) => status === 200))
  const records = await readTopic(world, 'keys')
  for (const key of ['a', 'b', 'c', 'd']) {
    const mine = records.filter((record) => record.key === key)
    assert.equal(new Set(mine.map(({ partition }) => partition)).size, 1)
    assert.deepEqual(
      mine.map(({ value }) => value),
      ['0', '1', '2', '3', '4'],
    )
  }
  // kafkajs hashes as the Java client does.
  const producer = world.kafka.producer()
  await producer.connect()
  for (const key of ['a', 'b', 'c', 'd']) {
    const [stored] = await producer.send({ topic: 'keys', messages: [{ key, value: 'other' }] })
    assert.equal(stored?.partition, records.find((record) => record.key === key)?.partition, key)
  }
  await producer.disconnect()
})

test('many publishers at once each get the place of their own event', async () => {
  const answers = await Promise.all(
    Array.from({ length: 300 }, async (_, event) => {
      const response = await publish('parallel', String(event))
      return { event, ...((await response.json()) as { offset: string }) }
    }),
  )
  const records = await readTopic(world, 'parallel')
  assert.equal(records.length, 300)
  for (const { event, offset } of answers)
    assert.equal(records.find((record) => record.offset === Number(offset))?.value, String(event))
})

test('every fault of an event is told at once', async () => {
  const problem = await problemOf(await publish('orders', 'x', { 'ce-id': '', 'ce-specversion': '0.3' }), 400)
  assert.equal(problem.code, 'WEFT4004')
  for (const part of ['4 faults', 'id:', 'source:', 'type:', 'specversion:'])
    assert.ok(String(problem.detail).includes(part), part)
})

test('an unknown topic is 404 to everybody, a forbidden one 403 with the policy', async () => {
  assert.equal((await problemOf(await publish('nothing', 'x'), 404)).code, 'WEFT4001')
  const refused = await problemOf(await publish('secret', 'x'), 403)
  assert.equal(refused.policy, 'default/no-secret')
  assert.equal(refused.identity, 'spiffe://weft.local/ns/default/sa/billing-service')
  assert.equal((await problemOf(await publish('nowhere', 'x'), 404)).code, 'WEFT4001')
})

test('policy holds from the next request on', async () => {
  snapshots.change({ policies: [denies('raw'), denies('secret'), denies('nowhere')] })
  assert.equal((await publish('raw', 'x')).status, 403)
  snapshots.change({ policies: [denies('secret'), denies('nowhere')] })
  assert.equal((await publish('raw', 'x')).status, 200)
})

test('an event over the limit of its topic is 413, whether its length is declared or not', async () => {
  const declared = await problemOf(await publish('tight', 'x'.repeat(1_001)), 413)
  assert.equal(declared.code, 'WEFT4002')
  const chunked = request(`${bridge.url}/v1/topics/tight/events`, { method: 'POST' })
  chunked.write('x'.repeat(600))
  chunked.end('x'.repeat(600))
  assert.equal(await statusOf(chunked), 413)
  assert.equal((await publish('tight', 'x'.repeat(900))).status, 200)
})

test("the broker's own limit is 413 too, and holds nobody else up", async () => {
  const configEntries = [{ name: 'max.message.bytes', value: '2000' }]
  await makeTopics(world.admin, [{ topic: 'small', numPartitions: 1, configEntries }])
  snapshots.change({ topics: [...snapshots.current().snapshot.topics, topicEntry('small')] })
  const sizes = [10, 5_000, 20, 6_000, 30]
  const statuses = await Promise.all(
    sizes.map(async (size) => (await publish('small', 'x'.repeat(size))).status),
  )
  assert.deepEqual(statuses, [200, 413, 200, 413, 200])
  // Sent at once, they may have come in any order.
  const lengths = (await readTopic(world, 'small')).map(({ value }) => value?.length)
  assert.deepEqual(new Set(lengths), new Set([10, 20, 30]))
})

test('a topic that the mesh knows and the broker does not know yet is 503 with Retry-After', async () => {
  const response = await publish('ghost', 'x', { 'weft-timeout-ms': '700' })
  assert.equal(response.headers.get('retry-after'), '1')
  assert.equal((await problemOf(response, 503)).code, 'WEFT4003')
  await createTopic(world, 'ghost')
  const after = await publish('ghost', 'y')
  assert.equal(after.status, 200)
})

test('a compressed body is 415: nobody could read the record', async () => {
  const problem = await problemOf(await publish('orders', 'x', { 'content-encoding': 'gzip' }), 415)
  assert.equal(problem.code, 'WEFT1007')
})

test('web pages cannot publish', async () => {
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    const outgoing = request(`${bridge.url}/v1/topics/orders/events`, { method: 'POST', headers })
    outgoing.end('{}')
    assert.equal(await statusOf(outgoing), 403)
  }
  const rebound = request(`${bridge.url}/v1/topics/orders/events`, {
    method: 'POST',
    headers: { host: 'evil.example' },
  })
  rebound.end('{}')
  assert.equal(await statusOf(rebound), 421)
})

test('unknown routes are 404, other methods 405, a timeout that is none is 400', async () => {
  assert.equal((await problemOf(await fetch(`${bridge.url}/v1/topics`), 404)).code, 'WEFT5002')
  const get = await fetch(`${bridge.url}/v1/topics/orders/events`)
  assert.equal(get.headers.get('allow'), 'POST')
  await problemOf(get, 405)
  await problemOf(await publish('orders', 'x', { 'weft-timeout-ms': '-1' }), 400)
})

test('garbage on the port closes a connection and nothing else', async () => {
  const garbage = [
    'GET\r\n\r\n',
    'POST /v1/topics/orders/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /v1/topics/%ff/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx',
    `POST /v1/topics/orders/events HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
    'POST /v1/topics/orders/events HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ]
  for (const bytes of garbage) {
    const socket = connect(Number(new URL(bridge.url).port), '127.0.0.1')
    const answer: Buffer[] = []
    socket.on('data', (chunk) => answer.push(chunk)).on('error', () => {})
    socket.end(Buffer.from(bytes, 'latin1'))
    await once(socket, 'close')
    assert.match(Buffer.concat(answer).toString('latin1'), /^(HTTP\/1.1 4\d\d |$)/)
  }
  assert.equal((await publish('orders', 'still here')).status, 200)
})

test('a caller that goes away half way leaves nothing behind', async () => {
  const before = (await readTopic(world, 'orders')).length
  const half = request(`${bridge.url}/v1/topics/orders/events`, {
    method: 'POST',
    headers: { 'content-length': '100' },
  })
  half.on('error', () => {})
  half.write('half')
  await new Promise((resolve) => setImmediate(resolve))
  half.destroy()
  assert.equal((await publish('orders', 'whole')).status, 200)
  assert.equal((await readTopic(world, 'orders')).length, before + 1)
})

test('records and refusals are counted by identity and topic, never by a name that the caller made up', async () => {
  const text = await bridge.metrics.registry.metrics()
  assert.match(
    text,
    /weft_kafka_records_total\{operation="produce",mode="api",identity="billing-service",topic="parallel",group="-",outcome="ok"\} 300/,
  )
  assert.match(
    text,
    /weft_policy_refused_total\{protocol="kafka",source="billing-service",target="secret",policy="default\/no-secret",mode="enforce"\} 1/,
  )
  assert.ok(!text.includes('nowhere') || !text.includes('target="nowhere"'))
})

test('draining answers what is in flight and takes nothing more', async () => {
  const draining = await startBridge(snapshots)
  const inFlight = fetch(`${draining.url}/v1/topics/raw/events`, { method: 'POST', body: 'last' })
  const first = await inFlight
  assert.equal(first.status, 200)
  await draining.drain(5_000)
  await assert.rejects(fetch(`${draining.url}/v1/topics/raw/events`, { method: 'POST', body: 'x' }))
})
