import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { type ServiceError, status } from '@grpc/grpc-js'
import type { PublishResult } from '@weft/schemas/proto'
import { type EventInit, EventsOverGrpc, eventOf, METHODS, text } from './grpc-client.ts'
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

const CREATED = { id: 'e-1', source: '/test', type: 'shop.Created' }

function statusOf(call: Promise<unknown>): Promise<{ code: number; details: string; weftCode: string }> {
  return call.then(
    () => assert.fail('expected the call to fail'),
    ({ code, details, metadata }: ServiceError) => ({
      code,
      details,
      weftCode: String(metadata.get('weft-code')[0]),
    }),
  )
}

/** Writes all, and resolves with the results in the order in which they came. */
async function publishAll(api: EventsOverGrpc, events: Iterable<EventInit>): Promise<PublishResult[]> {
  const call = api.publishStream()
  const results: PublishResult[] = []
  call.on('data', (result: PublishResult) => results.push(result))
  const ended = once(call, 'end')
  for (const event of events) if (!call.write(eventOf(event))) await once(call, 'drain')
  call.end()
  await ended
  return results
}

describe('publishing over gRPC', () => {
  let world: World
  let bridge: Bridge
  let api: EventsOverGrpc

  before(async () => {
    world = await startWorld()
    const topics = ['one', 'batch', 'many', 'stream', 'drained', 'slow', 'closed', 'small', 'raw']
    for (const topic of topics) await createTopic(world, topic, topic === 'stream' ? 3 : 1)
    bridge = await startBridge(
      snapshotOf(world.broker.bootstrapServers, {
        topics: topics.map((name) => topicEntry(name, name === 'small' ? 1_000 : 1_048_576)),
        policies: [denies('closed')],
      }),
    )
    api = new EventsOverGrpc(bridge.grpcTarget)
  })
  after(async () => {
    api[Symbol.dispose]()
    await bridge[Symbol.asyncDispose]()
    await world[Symbol.asyncDispose]()
  })

  it('stores a CloudEvent as over HTTP, and says where', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const published = await api.publish({
      topic: 'one',
      attributes: CREATED,
      contentType: 'application/json',
      key: text('k'),
      timestampMs: 1_700_000_000_000n,
      data: text('{"n":1}'),
      headers: [{ name: 'tenant', value: text('blue') }],
      traceparent,
    })
    assert.deepEqual(
      [published.topic, published.partition, published.offset, published.id, published.spooled],
      ['one', 0, 0n, 'e-1', false],
    )
    const [stored] = await readTopic(world, 'one')
    const { traceparent: passed, ...headers } = stored?.headers ?? {}
    assert.deepEqual([stored?.key, stored?.value], ['k', '{"n":1}'])
    assert.deepEqual(headers, {
      ce_id: 'e-1',
      ce_source: '/test',
      ce_type: 'shop.Created',
      ce_specversion: '1.0',
      'content-type': 'application/json',
      tenant: 'blue',
    })
    assert.match(passed ?? '', /^00-0af7651916cd43dd8448eb211c80319c-/)
  })

  it('stores any bytes as they are, and tombstones', async () => {
    await api.publish({ topic: 'raw', key: text('k'), contentType: 'image/png', data: text('bytes') })
    await api.publish({ topic: 'raw', key: text('k') })
    const stored = await readTopic(world, 'raw')
    assert.deepEqual(
      stored.map(({ value }) => value),
      ['bytes', undefined],
    )
    assert.equal(stored[0]?.headers['content-type'], 'image/png')
  })

  it('says what is wrong, all of it', async () => {
    const faulty = { topic: 'one', data: text(''), headers: [{ name: 'weft-id', value: text('') }] }
    const { code, details, weftCode } = await statusOf(
      api.publish({ ...faulty, attributes: { Source: 'x', time: 'now' } }),
    )
    assert.equal(code, status.INVALID_ARGUMENT)
    assert.match(details, /attributes: .*Source; headers: .*weft-id.*; id: .*; source: .*; type: .*; time: /)
    assert.match(weftCode, /^WEFT/)
    for (const [event, expected] of [
      [{ topic: 'one' }, /key: expected the key/],
      [{ topic: 'one', data: text(''), partition: -1 }, /partition: expected a whole number/],
      [{ topic: 'one', data: text(''), timestampMs: -1n }, /timestamp_ms: expected/],
    ] as const) {
      const refused = await statusOf(api.publish(event))
      assert.equal(refused.code, status.INVALID_ARGUMENT)
      assert.match(refused.details, expected)
    }
  })

  it('refuses by topic, policy and size', async () => {
    const answer = async (event: EventInit) => (await statusOf(api.publish(event))).code
    assert.equal(await answer({ topic: 'nowhere', data: text('') }), status.NOT_FOUND)
    assert.equal(await answer({ topic: 'closed', data: text('') }), status.PERMISSION_DENIED)
    assert.equal(await answer({ topic: 'small', data: Buffer.alloc(3_000) }), status.RESOURCE_EXHAUSTED)
  })

  it('publishes nothing of a batch with a faulty event, and tells each of a good one', async () => {
    const event = (id: string, topic = 'batch') => ({
      topic,
      attributes: { ...CREATED, id },
      data: text(id),
    })
    const refused = await statusOf(api.publishBatch([event('a'), event('b', 'closed')]))
    assert.equal(refused.code, status.PERMISSION_DENIED)
    assert.match(refused.details, /^\[1\]: /)

    const { results } = await api.publishBatch([event('c'), event('d'), event('e', 'one')])
    assert.deepEqual(
      results.map(({ index, outcome }) => [
        index,
        outcome.case,
        outcome.case === 'published' && outcome.value.id,
      ]),
      [
        [0n, 'published', 'c'],
        [1n, 'published', 'd'],
        [2n, 'published', 'e'],
      ],
    )
    const stored = await readTopic(world, 'batch')
    assert.deepEqual(
      stored.map(({ value }) => value),
      ['c', 'd'],
    )
  })

  it('answers a stream of events at its end', async () => {
    const events = Array.from({ length: 500 }, (_, at) => ({ topic: 'many', data: text(`${at}`) }))
    const { results } = await api.publishMany([...events, { topic: 'closed', data: text('') }])
    assert.equal(results.length, 501)
    assert.equal(results.filter(({ outcome }) => outcome.case === 'published').length, 500)
    assert.equal(results.at(-1)?.outcome.case, 'problem')
    assert.equal((await readTopic(world, 'many')).length, 500)
  })

  it('refuses more events in one call than it would keep results of', async () => {
    const events = Array.from({ length: 10_001 }, () => ({ topic: 'nowhere', data: text('') }))
    const { code } = await statusOf(api.publishMany(events))
    assert.equal(code, status.RESOURCE_EXHAUSTED)
  })

  it('tells each event of a stream, keeps the order of a key, and goes on after a faulty one', async () => {
    function* events(): Generator<EventInit> {
      for (let at = 0; at < 5_000; at++)
        yield { topic: at === 2_500 ? 'closed' : 'stream', key: text(`k${at % 7}`), data: text(`${at}`) }
    }
    const results = await publishAll(api, events())
    assert.deepEqual(
      results.map(({ index }) => Number(index)).sort((a, b) => a - b),
      Array.from({ length: 5_000 }, (_, at) => at),
    )
    const problems = results.filter(({ outcome }) => outcome.case === 'problem')
    assert.deepEqual(
      problems.map(({ index }) => index),
      [2_500n],
    )
    const stored = await readTopic(world, 'stream')
    assert.equal(stored.length, 4_999)
    const last = new Map<string, number>()
    for (const { key = '', value } of stored) {
      assert.ok(Number(value) > (last.get(key) ?? -1), `${value} of ${key} is out of order`)
      last.set(key, Number(value))
    }
  })

  it('reads no more from who does not read its results', async () => {
    const call = api.publishStream()
    const results: PublishResult[] = []
    call.on('data', (result: PublishResult) => results.push(result))
    const event = eventOf({ topic: 'slow', data: Buffer.alloc(16 * 1024) })
    call.write(event)
    await once(call, 'data')
    call.pause()
    let written = 1
    // Until nothing moves any more while others are served.
    const served = async (): Promise<boolean> => {
      for (let calls = 0; calls < 20; calls++) await api.publish({ topic: 'one', data: text('') })
      return false
    }
    for (let moved = true; moved; ) {
      assert.ok(written++ < 20_000, 'it takes everything')
      moved = call.write(event) || (await Promise.race([once(call, 'drain').then(() => true), served()]))
    }
    call.resume()
    call.end()
    await once(call, 'end')
    assert.equal(results.length, written)
    assert.ok(results.every(({ outcome }) => outcome.case === 'published'))
  })

  it('lives on after what is no event, and what is no gRPC', async () => {
    const { path, responseDeserialize } = METHODS.publish
    const garbage = Buffer.from('ffffffffffffffffffff', 'hex')
    const failed = new Promise<number>((resolve) => {
      api.client.makeUnaryRequest(
        path,
        () => garbage,
        responseDeserialize,
        {},
        (error) => resolve(error?.code ?? 0),
      )
    })
    assert.notEqual(await failed, status.OK)
    const [host = '', port = ''] = bridge.grpcTarget.split(':')
    const socket = connect(Number(port), host)
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
    assert.equal((await api.publish({ topic: 'one', data: text('') })).topic, 'one')
  })

  it('tells a stream what was stored before it ends it at a stop', async () => {
    const other = await startBridge(
      snapshotOf(world.broker.bootstrapServers, { topics: [topicEntry('drained')] }),
    )
    using own = new EventsOverGrpc(other.grpcTarget)
    const call = own.publishStream()
    const stored: bigint[] = []
    call.on('data', ({ outcome }: PublishResult) => {
      if (outcome.case === 'published') stored.push(outcome.value.offset)
    })
    const ended = once(call, 'error') as Promise<[ServiceError]>
    for (let at = 0; at < 200; at++) call.write(eventOf({ topic: 'drained', data: text(`${at}`) }))
    await once(call, 'data')
    await other.drain(5_000)
    const [error] = await ended.catch((thrown: ServiceError) => [thrown])
    assert.equal(error?.code, status.UNAVAILABLE)
    assert.equal((await readTopic(world, 'drained')).length, stored.length)
  })
})
