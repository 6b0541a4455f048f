import assert from 'node:assert/strict'
import { test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import type { EdgeInit } from '@weft/schemas/proto'
import type { TopicEntry } from '@weft/schemas/snapshot'
import {
  clientContext,
  hello,
  ORDERS,
  openClient,
  openStream,
  startControlPlane,
  type TestMessage,
} from './grpc.test-support.ts'

const topics = (...names: readonly string[]): { topics: TopicEntry[] } => ({
  topics: names.map((name) => ({ name, partitions: 1, maxMessageBytes: 1 })),
})
const textOf = (update: { readonly snapshotJson: Uint8Array } | undefined): string =>
  Buffer.from(update?.snapshotJson ?? []).toString()

async function connect(address: string, context: Awaited<ReturnType<typeof clientContext>>) {
  const open = openClient(address, context)
  return { ...openStream(open.client), [Symbol.dispose]: () => open[Symbol.dispose]() }
}

test('a Hello brings the current snapshot, a change the next one, for the identity of the certificate', async () => {
  await using plane = await startControlPlane()
  using stream = await connect(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  stream.send(hello())
  await stream.received(1)
  plane.provider.change(topics('orders'))
  await stream.received(2)
  assert.deepEqual(
    stream.updates.map((update) => update.version),
    [1n, 2n],
  )
  assert.match(
    textOf(stream.updates[0]),
    /"identity":"spiffe:\/\/weft.local\/ns\/default\/sa\/order-service"/,
  )
  assert.match(textOf(stream.updates[1]), /"name":"orders"/)
})

test('a caller without a certificate gets no stream', async () => {
  await using plane = await startControlPlane()
  using stream = await connect(plane.address, await clientContext(plane.authority))
  stream.send(hello())
  const { code, details } = await stream.status
  assert.equal(code, status.UNAUTHENTICATED)
  assert.match(details, /needs the certificate of a workload/)
})

test('changes of one turn come as one, and a version without other content does not come', async () => {
  await using plane = await startControlPlane()
  using stream = await connect(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  stream.send(hello())
  await stream.received(1)
  for (let version = 2; version <= 50; version++) plane.provider.change(topics(`t${version}`))
  await stream.received(2)
  plane.provider.change(plane.provider.content, 51)
  await new Promise(setImmediate)
  plane.provider.change(topics('last'))
  await stream.received(3)
  assert.deepEqual(
    stream.updates.map((update) => Number(update.version)),
    [1, 50, 52],
  )
})

test('a change reaches twenty streams, each with all of it and in order', async () => {
  await using plane = await startControlPlane()
  const context = await clientContext(plane.authority, { id: ORDERS })
  const streams = await Promise.all(Array.from({ length: 20 }, () => connect(plane.address, context)))
  for (const [at, stream] of streams.entries()) stream.send(hello(`orders-${at}`))
  await Promise.all(streams.map((stream) => stream.received(1)))
  for (const name of ['a', 'b', 'c']) {
    plane.provider.change(topics(name))
    await Promise.all(streams.map((stream) => stream.received(plane.provider.version)))
  }
  for (const stream of streams) {
    assert.deepEqual(
      stream.updates.map((update) => Number(update.version)),
      [1, 2, 3, 4],
    )
    stream[Symbol.dispose]()
  }
  assert.equal(plane.grpc.registry.list().length, 20)
})

test('a reader that stops gets the newest when it goes on, and nothing in between is kept for it', async () => {
  await using plane = await startControlPlane()
  // Larger than what sockets and flow control take in between.
  const large = (name: string) => ({
    ...topics(name),
    policies: [],
    services: [],
    padding: 'x'.repeat(16_000_000),
  })
  plane.provider.change(large('first'))
  using stream = await connect(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  stream.call.pause()
  stream.send(hello())
  // Its entry shows what was given to the socket: the first, which stays there.
  while (plane.grpc.registry.list()[0]?.sentVersion !== 2) await changeOf(plane.grpc.registry)
  for (let version = 3; version <= 30; version++) {
    plane.provider.change(large(`t${version}`))
    await new Promise(setImmediate)
  }
  assert.equal(plane.grpc.registry.list()[0]?.sentVersion, 2)
  stream.call.resume()
  await stream.received(2)
  assert.deepEqual(
    stream.updates.map((update) => Number(update.version)),
    [2, 30],
  )
})

const changeOf = (registry: { onChange(listener: () => void): () => void }): Promise<void> =>
  new Promise((resolve) => {
    const end = registry.onChange(() => {
      end()
      resolve()
    })
  })

test('the registry shows who is connected, what was sent, taken and refused, and forgets who left', async () => {
  await using plane = await startControlPlane()
  const { registry } = plane.grpc
  using stream = await connect(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  stream.send(hello())
  await stream.received(1)
  const [{ connectedSince, ...first } = assert.fail()] = registry.list()
  assert.ok(Date.now() - Date.parse(connectedSince) < 60_000)
  assert.deepEqual(first, {
    workload: 'orders-1',
    namespace: 'default',
    identity: ORDERS.uri,
    sentVersion: 1,
    ackedVersion: 0,
  })
  stream.send({ case: 'ack', value: { version: 1n } })
  await changeOf(registry)
  assert.equal(registry.list()[0]?.ackedVersion, 1)
  plane.provider.change(topics('orders'))
  await stream.received(2)
  stream.send({ case: 'nack', value: { version: 2n, reason: 'y'.repeat(10_000) } })
  await changeOf(registry)
  assert.deepEqual(registry.list()[0]?.nack, { version: 2, reason: 'y'.repeat(4096) })
  plane.provider.change(topics('better'))
  await stream.received(3)
  stream.send({ case: 'ack', value: { version: 3n } })
  await changeOf(registry)
  assert.equal(registry.list()[0]?.nack, undefined)
  stream.call.end()
  await stream.status
  while (registry.list().length > 0) await changeOf(registry)
})

test('of two streams of one workload the newer one is shown, also after the older one ended', async () => {
  await using plane = await startControlPlane()
  const context = await clientContext(plane.authority, { id: ORDERS })
  using older = await connect(plane.address, context)
  older.send(hello())
  await older.received(1)
  plane.provider.change(topics('orders'))
  using newer = await connect(plane.address, context)
  newer.send(hello())
  await Promise.all([older.received(2), newer.received(1)])
  newer.send({ case: 'ack', value: { version: 2n } })
  await changeOf(plane.grpc.registry)
  older.call.end()
  await older.status
  const list = plane.grpc.registry.list()
  assert.deepEqual(
    list.map((entry) => entry.ackedVersion),
    [2],
  )
})

test('what is against the protocol ends the stream with what was expected', async () => {
  await using plane = await startControlPlane()
  const context = await clientContext(plane.authority, { id: ORDERS })
  const cases: [TestMessage[], RegExp][] = [
    [[{ case: 'ack', value: { version: 1n } }], /expected a Hello first/],
    [[{ case: 'report', value: { edges: [] } }], /expected a Hello first/],
    [[{ case: undefined }], /an empty message/],
    [[hello(''), hello()], /expected the name of a Workload, came ""/],
    [[hello('../x')], /came "..\/x"/],
    [[hello('x'.repeat(100_000))], /expected the name of a Workload/],
    [[hello(), hello()], /expected one Hello, came a second one/],
    [[hello(), { case: 'ack', value: { version: 9n } }], /up to 1\), came ack of 9/],
    [[hello(), { case: 'nack', value: { version: -1n } }], /came nack of -1/],
  ]
  for (const [messages, reason] of cases) {
    using stream = await connect(plane.address, context)
    for (const message of messages) stream.send(message)
    const { code, details } = await stream.status
    assert.equal(code, status.INVALID_ARGUMENT)
    assert.match(details, reason)
  }
})

test('a stream without a Hello ends by itself', async () => {
  await using plane = await startControlPlane({ handshakeTimeoutMs: 300 })
  using stream = await connect(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  assert.match((await stream.status).details, /expected a Hello within 300 ms/)
})

test('a stream ends with the certificate that it was opened with', async () => {
  await using plane = await startControlPlane()
  const context = await clientContext(plane.authority, { id: ORDERS, ttlSeconds: 2 })
  using stream = await connect(plane.address, context)
  stream.send(hello())
  await stream.received(1)
  const { code, details } = await stream.status
  assert.equal(code, status.UNAUTHENTICATED)
  assert.match(details, /the certificate has ended/)
})

test('a workload that the provider does not know gets its reason; one that has a snapshot keeps it', async () => {
  await using plane = await startControlPlane()
  const known = plane.provider.snapshotFor.bind(plane.provider)
  const context = await clientContext(plane.authority, { id: ORDERS })
  using served = await connect(plane.address, context)
  served.send(hello())
  await served.received(1)
  plane.provider.snapshotFor = () => {
    throw new MeshError('not_found', 'there is no Workload orders-1 in namespace default')
  }
  plane.provider.change(topics('a'))
  using refused = await connect(plane.address, context)
  refused.send(hello())
  const { code, details } = await refused.status
  assert.equal(code, status.NOT_FOUND)
  assert.match(details, /there is no Workload orders-1/)
  plane.provider.snapshotFor = known
  plane.provider.change(topics('b'))
  await served.received(2)
})

test('reports reach the graph with the proven identity; what is no report is dropped and the stream stays', async () => {
  await using plane = await startControlPlane()
  using stream = await connect(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  stream.send(hello())
  const edge: EdgeInit = { kind: 'produce', source: 'order-service', destination: 'orders', total: 7n }
  for (const edges of [
    Array.from({ length: 10_001 }, () => edge),
    [{ ...edge, kind: 'delete' }],
    [{ ...edge, source: '' }],
    [{ ...edge, destination: 'x'.repeat(256) }],
    [{ ...edge, total: -1n }],
    [{ ...edge, durationSeconds: Number.NaN }],
    [edge],
  ])
    stream.send({ case: 'report', value: { edges } })
  stream.send({ case: 'ack', value: { version: 1n } })
  while (plane.grpc.registry.list()[0]?.ackedVersion !== 1) await changeOf(plane.grpc.registry)
  assert.equal(plane.reports.length, 1)
  const [report] = plane.reports
  assert.deepEqual(report?.identity, ORDERS)
  assert.equal(report?.workload, 'orders-1')
  assert.equal(report?.edges[0]?.total, 7n)
})

test('a drain ends the streams with a reason, refuses new ones and leaves no connection', async () => {
  const plane = await startControlPlane()
  using stream = await connect(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  stream.send(hello())
  await stream.received(1)
  const drained = plane.grpc.drain(10_000)
  assert.match((await stream.status).details, /the control plane is stopping/)
  await drained
  using late = await connect(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  assert.equal((await late.status).code, status.UNAVAILABLE)
  await plane[Symbol.asyncDispose]()
})

test('a drain does not wait for a reader that has stopped beyond its deadline', async () => {
  const plane = await startControlPlane()
  plane.provider.change({ ...topics('large'), ...{ padding: 'x'.repeat(16_000_000) } })
  using stream = await connect(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  stream.call.pause()
  stream.send(hello())
  while (plane.grpc.registry.list()[0]?.sentVersion !== 2) await changeOf(plane.grpc.registry)
  await plane.grpc.drain(100)
  await plane[Symbol.asyncDispose]()
})
