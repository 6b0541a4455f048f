import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { API_VERSIONS } from '../wire/18-api-versions.ts'
import { encodeRequest } from '../wire/api.ts'
import { Connection, type ConnectionOptions } from './connection.ts'

let server: Server
before(async () => {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
})
after(() => server.close())

/** Two ends of a real connection. */
async function socketPair(): Promise<[near: Socket, far: Socket]> {
  const bound = server.address()
  assert.ok(bound !== null && typeof bound === 'object')
  const accepted = once(server, 'connection')
  const far = connect(bound.port, '127.0.0.1')
  const [near] = (await accepted) as [Socket]
  far.on('error', () => {})
  return [near, far]
}

async function connection(part: Partial<ConnectionOptions>) {
  const [client, app] = await socketPair()
  const closed = Promise.withResolvers<MeshError | undefined>()
  const subject = new Connection({
    client,
    connect: () => Promise.reject(new MeshError('connect_failed', 'no broker in this test')),
    stages: [],
    onClose: closed.resolve,
    ...part,
  })
  return { subject, app, closed: closed.promise }
}

const request = (correlationId: number) =>
  encodeRequest(API_VERSIONS, {
    version: 0,
    correlationId,
    clientId: 'x',
    message: { clientSoftwareName: '', clientSoftwareVersion: '', tags: [] },
  })
const answerTo = (correlationId: number) => {
  const frame = Buffer.alloc(14)
  frame.writeInt32BE(10)
  frame.writeInt32BE(correlationId, 4)
  return frame
}

test('a client that says nothing for ten seconds is let go', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { closed, app } = await connection({})
  t.mock.timers.tick(10_000)
  assert.equal((await closed)?.code, 'request_timeout')
  app.destroy()
})

test('a broker that cannot be reached closes the connection', async () => {
  const { closed, app } = await connection({})
  app.write(request(1))
  assert.equal((await closed)?.code, 'connect_failed')
  app.destroy()
})

for (const [what, answers] of Object.entries({
  'answers out of order': [answerTo(2)],
  'answers twice': [answerTo(1), answerTo(1)],
})) {
  test(`a broker that ${what} is out of step, and the connection closes`, async () => {
    const [near, broker] = await socketPair()
    const { closed, app } = await connection({ connect: async () => near })
    app.write(request(1))
    await once(broker, 'data')
    broker.write(Buffer.concat(answers))
    assert.equal((await closed)?.code, 'upstream_protocol')
    for (const socket of [app, broker]) socket.destroy()
  })
}

test('a connection that is drained delivers the answer in flight, then closes', async () => {
  const [near, broker] = await socketPair()
  const { subject, closed, app } = await connection({ connect: async () => near })
  app.write(request(7))
  await once(broker, 'data')
  subject.drain()
  app.write(request(8)) // not read any more
  broker.write(answerTo(7))
  const [answer] = (await once(app, 'data')) as [Buffer]
  assert.equal(answer.readInt32BE(4), 7)
  assert.equal((await closed)?.code, 'draining')
  for (const socket of [app, broker]) socket.destroy()
})

test('what a client sent before it left reaches the broker', async () => {
  const [near, broker] = await socketPair()
  const { closed, app } = await connection({ connect: async () => near })
  let received = 0
  broker.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  const frames = Buffer.concat(Array.from({ length: 100 }, (_, i) => request(i)))
  app.write(request(0))
  await once(broker, 'data')
  app.end(frames)
  await once(broker, 'end')
  assert.equal(received, frames.length + request(0).length)
  assert.equal(await closed, undefined)
  broker.destroy()
})

test('a client that leaves while the broker is being reached leaves no connection behind', async () => {
  const [near, broker] = await socketPair()
  const reached = Promise.withResolvers<Socket>()
  const { closed, app } = await connection({ connect: () => reached.promise })
  app.write(request(1))
  app.resetAndDestroy()
  broker.resume()
  reached.resolve(near)
  await once(broker, 'close')
  await closed
})
