import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { type ServiceError, status } from '@grpc/grpc-js'
import { type Delivery, Settlement_Action, SubscribeRequestSchema } from '@weft/schemas/proto'
import type { Snapshots } from '../../process/workload.ts'
import { EventsOverGrpc, text } from './grpc-client.ts'
import {
  type Bridge,
  committed,
  createTopic,
  denies,
  eventually,
  readTopic,
  snapshotOf,
  startBridge,
  startWorld,
  streamEntry,
  subscriptionEntry,
  topicEntry,
  type World,
} from './world.ts'

const { ACKNOWLEDGE, RETRY, DROP, DEAD_LETTER } = Settlement_Action
const TOPICS = ['plain', 'credits', 'settled', 'gone', 'late', 'two', 'stopped', 'flipped', 'pushed']

/** One call of Subscribe: what it got, and the ways to answer. */
class Stream {
  readonly got: Delivery[] = []
  readonly call: ReturnType<EventsOverGrpc['subscribe']>
  readonly ended: Promise<ServiceError | undefined>
  #onDelivery = (_: Delivery): void => {}

  constructor(api: EventsOverGrpc, subscription: string, credits: number) {
    this.call = api.subscribe()
    this.ended = new Promise((resolve) => {
      this.call.on('error', (error: ServiceError) => resolve(error))
      this.call.on('end', () => setImmediate(resolve, undefined))
    })
    this.call.on('data', (delivery: Delivery) => {
      this.got.push(delivery)
      this.#onDelivery(delivery)
    })
    this.call.write(create(SubscribeRequestSchema, { subscription, credits }))
  }

  settle(delivery: bigint, action: Settlement_Action, { credits = 1, retryAfterMs = 0 } = {}): void {
    const settlements = [{ delivery, action, retryAfterMs }]
    this.call.write(create(SubscribeRequestSchema, { settlements, credits }))
  }

  grant(credits: number): void {
    this.call.write(create(SubscribeRequestSchema, { credits }))
  }

  onDelivery(listener: (delivery: Delivery) => void): this {
    this.#onDelivery = listener
    return this
  }

  async until(condition: (got: readonly Delivery[]) => boolean): Promise<void> {
    while (!condition(this.got)) await once(this.call, 'data', { signal: AbortSignal.timeout(30_000) })
  }

  end(): void {
    this.call.end()
  }
}

const dataOf = ({ event }: Delivery): string => Buffer.from(event?.data ?? []).toString()

describe('taking the records of a subscription over gRPC', () => {
  let world: World
  let bridge: Bridge
  let snapshots: Snapshots
  let api: EventsOverGrpc
  let publisher: EventsOverGrpc

  const publish = (topic: string, values: readonly string[], key?: string) =>
    publisher.publishBatch(
      values.map((value) => ({ topic, data: text(value), ...(key !== undefined && { key: text(key) }) })),
    )

  before(async () => {
    world = await startWorld()
    for (const topic of TOPICS) {
      await createTopic(world, topic, topic === 'two' ? 4 : 1)
      await createTopic(world, `${topic}.dlt`)
    }
    snapshots = snapshotOf(world.broker.bootstrapServers, {
      topics: TOPICS.map((name) => topicEntry(name)),
      subscriptions: [
        ...TOPICS.filter((topic) => topic !== 'pushed').map((topic) =>
          streamEntry(topic, topic === 'late' ? { timeoutMs: 200 } : {}),
        ),
        { ...subscriptionEntry('pushed'), name: 'pushed' },
      ],
    })
    bridge = await startBridge(snapshots)
    api = new EventsOverGrpc(bridge.grpcTarget)
    publisher = new EventsOverGrpc(bridge.grpcTarget)
  })
  after(async () => {
    api[Symbol.dispose]()
    publisher[Symbol.dispose]()
    await bridge[Symbol.asyncDispose]()
    await world[Symbol.asyncDispose]()
  })

  it('brings all of a record, and commits what is acknowledged', async () => {
    await publisher.publish({
      topic: 'plain',
      key: text('k'),
      timestampMs: 1_700_000_000_000n,
      attributes: { id: 'e-1', source: '/test', type: 'shop.Created' },
      contentType: 'application/json',
      headers: [{ name: 'tenant', value: text('blue') }],
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      data: text('{"n":1}'),
    })
    await publisher.publish({ topic: 'plain', key: text('k') })
    const stream = new Stream(api, 'plain', 2)
    await stream.until((got) => got.length === 1)
    const [first] = stream.got
    assert.deepEqual([first?.offset, first?.attempt, first?.event?.topic], [0n, 1, 'plain'])
    assert.deepEqual(first?.event?.attributes, {
      id: 'e-1',
      source: '/test',
      type: 'shop.Created',
      specversion: '1.0',
    })
    assert.equal(Buffer.from(first?.event?.key ?? []).toString(), 'k')
    assert.equal(first?.event?.contentType, 'application/json')
    assert.equal(first?.event?.timestampMs, 1_700_000_000_000n)
    assert.deepEqual(
      first?.event?.headers.map(({ name, value }) => [name, Buffer.from(value).toString()]),
      [['tenant', 'blue']],
    )
    assert.match(first?.event?.traceparent ?? '', /^00-0af7651916cd43dd8448eb211c80319c-/)
    assert.equal(dataOf(first as Delivery), '{"n":1}')

    // Of one key the next one comes when this one is settled, whatever the credits.
    stream.settle(first?.delivery ?? 0n, ACKNOWLEDGE)
    await stream.until((got) => got.length === 2)
    assert.equal(stream.got[1]?.event?.data, undefined)
    stream.settle(stream.got[1]?.delivery ?? 0n, ACKNOWLEDGE)
    await eventually(async () => (await committed(world, 'plain-group', 'plain')).get(0) === 2)
    stream.end()
    assert.equal(await stream.ended, undefined)
  })

  it('brings no more than there are credits', async () => {
    await publish(
      'credits',
      Array.from({ length: 50 }, (_, at) => `${at}`),
    )
    const stream = new Stream(api, 'credits', 3)
    await stream.until((got) => got.length === 3)
    // Another subscription is served in the meantime: what is to come has had its time.
    await publish('plain', ['between'])
    const other = new Stream(api, 'plain', 1)
    await other.until((got) => got.length === 1)
    other.settle(other.got[0]?.delivery ?? 0n, ACKNOWLEDGE)
    other.end()
    assert.equal(stream.got.length, 3)

    stream.onDelivery(({ delivery }) => stream.settle(delivery, ACKNOWLEDGE))
    for (const { delivery } of stream.got) stream.settle(delivery, ACKNOWLEDGE)
    await stream.until((got) => got.length === 50)
    await eventually(async () => (await committed(world, 'credits-group', 'credits')).get(0) === 50)
    stream.end()
  })

  it('retries, drops and buries as it is told', async () => {
    await publish('settled', ['retry', 'drop', 'bury'], 'one key')
    const stream = new Stream(api, 'settled', 1).onDelivery((delivery) => {
      const value = dataOf(delivery)
      if (value === 'retry' && delivery.attempt === 1)
        stream.settle(delivery.delivery, RETRY, { retryAfterMs: 1 })
      else if (value === 'retry') stream.settle(delivery.delivery, ACKNOWLEDGE)
      else stream.settle(delivery.delivery, value === 'drop' ? DROP : DEAD_LETTER)
    })
    await eventually(async () => (await committed(world, 'settled-group', 'settled')).get(0) === 3)
    assert.deepEqual(
      stream.got.map((delivery) => [dataOf(delivery), delivery.attempt]),
      [
        ['retry', 1],
        ['retry', 2],
        ['drop', 1],
        ['bury', 1],
      ],
    )
    const letters = await readTopic(world, 'settled.dlt')
    assert.deepEqual(
      letters.map(({ value }) => value),
      ['bury'],
    )
    stream.end()
  })

  it('delivers to the next one what the last one left unsettled', async () => {
    await publish('gone', ['a'])
    const first = new Stream(api, 'gone', 1)
    await first.until((got) => got.length === 1)
    first.call.cancel()
    await first.ended
    const second = new Stream(api, 'gone', 1)
    await second.until((got) => got.length === 1)
    assert.deepEqual([dataOf(second.got[0] as Delivery), second.got[0]?.attempt], ['a', 2])
    second.settle(second.got[0]?.delivery ?? 0n, ACKNOWLEDGE)
    await eventually(async () => (await committed(world, 'gone-group', 'gone')).get(0) === 1)
    second.end()
  })

  it('gives up waiting for a settlement, and passes over one that comes too late', async () => {
    await publish('late', ['a'])
    const stream = new Stream(api, 'late', 10)
    await stream.until((got) => got.length === 2)
    stream.settle(stream.got[0]?.delivery ?? 0n, DROP)
    stream.settle(stream.got[1]?.delivery ?? 0n, ACKNOWLEDGE)
    await eventually(async () => (await committed(world, 'late-group', 'late')).get(0) === 1)
    stream.end()
  })

  it('shares the records among streams, each of them once', async () => {
    const streams = [new Stream(api, 'two', 4), new Stream(publisher, 'two', 4)]
    for (const stream of streams) stream.onDelivery(({ delivery }) => stream.settle(delivery, ACKNOWLEDGE))
    const values = Array.from({ length: 200 }, (_, at) => `${at}`)
    await publisher.publishBatch(
      values.map((value) => ({ topic: 'two', key: text(value), data: text(value) })),
    )
    await eventually(async () => streams.reduce((sum, { got }) => sum + got.length, 0) === 200)
    for (const { got } of streams) assert.ok(got.length > 0)
    assert.equal(new Set(streams.flatMap(({ got }) => got.map(dataOf))).size, 200)
    for (const stream of streams) stream.end()
  })

  it('refuses what is no such call', async () => {
    const codeOf = async (begin: (call: Stream['call']) => void): Promise<number | undefined> => {
      const stream = new Stream(api, 'plain', 0)
      begin(stream.call)
      return (await stream.ended)?.code
    }
    const first = async (subscription: string, credits = 0) =>
      (await new Stream(api, subscription, credits).ended)?.code
    assert.equal(await first('nobody'), status.NOT_FOUND)
    assert.equal(await first(''), status.INVALID_ARGUMENT)
    assert.equal(await first('pushed'), status.INVALID_ARGUMENT)
    assert.equal(await first('plain', 10_001), status.INVALID_ARGUMENT)
    const write = (init: Parameters<typeof create<typeof SubscribeRequestSchema>>[1]) =>
      codeOf((call) => call.write(create(SubscribeRequestSchema, init)))
    assert.equal(await write({ subscription: 'plain' }), status.INVALID_ARGUMENT)
    assert.equal(
      await write({ settlements: [{ delivery: 99n, action: ACKNOWLEDGE }] }),
      status.INVALID_ARGUMENT,
    )
    assert.equal(await write({ credits: 0xffffffff }), status.INVALID_ARGUMENT)
  })

  it('ends when the policy that allowed it has changed, and is refused after that', async () => {
    const stream = new Stream(api, 'flipped', 1)
    await publish('flipped', ['a'])
    await stream.until((got) => got.length === 1)
    snapshots.change({ policies: [denies('flipped')] })
    assert.equal((await stream.ended)?.code, status.PERMISSION_DENIED)
    assert.equal((await new Stream(api, 'flipped', 1).ended)?.code, status.PERMISSION_DENIED)
    snapshots.change({ policies: [] })
  })

  it('lets what is under way be settled at a stop, and then says that it stops', async () => {
    const other = await startBridge(snapshots)
    using own = new EventsOverGrpc(other.grpcTarget)
    await publish('stopped', ['a', 'b'])
    const stream = new Stream(own, 'stopped', 1)
    await stream.until((got) => got.length === 1)
    const drained = other.drain(10_000)
    stream.settle(stream.got[0]?.delivery ?? 0n, ACKNOWLEDGE)
    await drained
    assert.equal((await stream.ended)?.code, status.UNAVAILABLE)
    assert.equal(stream.got.length, 1)
    assert.equal((await committed(world, 'stopped-group', 'stopped')).get(0), 1)
  })
})
