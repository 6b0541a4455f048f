import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { test } from 'node:test'
import { AppGate } from './app-gate.ts'
import { AppClient } from './post.ts'

const never = new AbortController().signal
const post = (port: number, part: { path?: string; timeoutMs?: number } = {}) => ({
  port,
  path: '/',
  headers: {},
  body: new Uint8Array([1]),
  timeoutMs: 2_000,
  ...part,
})

async function serve(
  listener: RequestListener,
): Promise<Server & AsyncDisposable & { readonly port: number }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(server, {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  })
}

test('the answer is its status, Retry-After and weft-action', async () => {
  await using server = await serve((_request, response) =>
    response.writeHead(503, { 'retry-after': '7', 'weft-action': 'drop' }).end('later'),
  )
  const client = new AppClient()
  assert.deepEqual(await client.post(post(server.port), never), {
    kind: 'status',
    status: 503,
    retryAfter: '7',
    action: 'drop',
  })
  client.close()
})

test('silence, a closed port, a closed connection, a lost partition and a path that is none are told apart', async () => {
  await using silent = await serve(() => {})
  await using rude = await serve((request) => request.socket.destroy())
  const client = new AppClient()
  assert.equal((await client.post(post(silent.port, { timeoutMs: 20 }), never)).kind, 'timeout')
  assert.equal((await client.post(post(rude.port), never)).kind, 'broken')
  assert.equal((await client.post(post(rude.port, { path: 'a b' }), never)).kind, 'broken')
  const lost = new AbortController()
  const pending = client.post(post(silent.port), lost.signal)
  lost.abort()
  assert.equal((await pending).kind, 'aborted')
  const { port } = silent
  silent.closeAllConnections()
  silent.close()
  await once(silent, 'close')
  assert.equal((await client.post(post(port), never)).kind, 'refused')
  client.close()
})

test('a kept connection that the app has closed is replaced, and that is no attempt', async () => {
  let requests = 0
  await using server = await serve((request, response) => {
    requests++
    response.end(() => setImmediate(() => request.socket.destroy()))
  })
  const client = new AppClient()
  for (let round = 0; round < 20; round++) {
    const answer = await client.post(post(server.port), never)
    assert.equal(answer.kind, 'status')
  }
  assert.ok(requests >= 20)
  client.close()
})

test('garbage for an answer is a broken connection', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => {}).end('nonsense\r\n\r\n')).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const client = new AppClient()
  assert.equal((await client.post(post((server.address() as AddressInfo).port), never)).kind, 'broken')
  client.close()
  server.close()
})

test('the gate opens when the app accepts a connection, shuts when it is told, and opens again by itself', async () => {
  const server = createTcpServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const gate = new AppGate(port)
  const gone = new AbortController()
  const waiting = gate.whenOpen([never, gone.signal])
  gone.abort()
  assert.equal(await waiting, false)
  assert.equal(gate.isOpen, false)
  server.listen(port, '127.0.0.1')
  assert.equal(await gate.whenOpen([never]), true)
  gate.shut()
  assert.equal(gate.isOpen, false)
  assert.equal(await gate.whenOpen([never]), true)
  gate.close()
  server.close()
})
