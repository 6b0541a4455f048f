import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { trace } from '@opentelemetry/api'
import { createLog } from '@weft/schemas/node/log'
import { DEFAULT_TRAFFIC, type Endpoint, indexSnapshot } from '@weft/schemas/snapshot'
import { startInbound } from '../inbound/index.ts'
import type { Listener } from '../listen/index.ts'
import { call } from './calling.test-support.ts'
import { bodyOf, exchange, type Pair, portOf, SERVER, serviceOf, startPair } from './pair.test-support.ts'

/** A port on which nobody listens: it was bound, and is free again. */
async function deadEndpoint(): Promise<Endpoint> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return { address: '127.0.0.1', port, identity: SERVER, labels: {} }
}

/** An inbound sidecar that knows already that no Service selects its workload any more. */
function startWithdrawn({ inboundSnapshots, serverIdentity, metrics, app }: Pair): Promise<Listener> {
  const { snapshot } = inboundSnapshots.current()
  const now = indexSnapshot({ ...snapshot, workload: { identity: SERVER, namespace: 'default' } })
  return startInbound({
    host: '127.0.0.1',
    port: 0,
    snapshots: { current: () => now, onChange: () => () => {} },
    identity: serverIdentity,
    metrics,
    log: createLog('test'),
    tracer: trace.getTracer('test'),
    appPort: portOf(app),
  })
}

describe('outbound', () => {
  it('answers 502 for a host that no service has', async () => {
    await using pair = await startPair()

    const { status, problem, headers } = await call(pair.outbound.port, { host: 'nobody' })

    assert.deepEqual([status, problem.code, problem.target], [502, 'WEFT3001', 'nobody'])
    assert.ok(String(headers.traceparent).includes(String(problem.traceId)))
  })

  it('knows a service by each of its hosts, in any case of letters', async () => {
    await using pair = await startPair()

    for (const host of ['server', 'SERVER', 'server:80', 'server.default', 'Server.Default.Svc:80'])
      assert.equal((await call(pair.outbound.port, { host })).status, 200, host)
  })

  it('answers 503 for a service without endpoints, and follows the next snapshot', async () => {
    await using pair = await startPair()
    const withEndpoint = pair.outboundSnapshots.current().snapshot.services
    pair.outboundSnapshots.change({ services: [serviceOf([])] })
    const { status, problem } = await call(pair.outbound.port)
    assert.deepEqual([status, problem.code], [503, 'WEFT3002'])

    pair.outboundSnapshots.change({ services: withEndpoint })

    assert.equal((await call(pair.outbound.port)).status, 200)
  })

  it('tries another endpoint when one is dead, for any method, with the body sent again', async () => {
    const dead = await deadEndpoint()
    await using pair = await startPair({
      app: (sent, answer) => void bodyOf(sent).then((body) => answer.end(body)),
      extraEndpoints: [dead],
    })

    for (let n = 0; n < 20; n++) {
      const { status, body } = await call(pair.outbound.port, { method: 'POST', body: `body ${n}` })
      assert.deepEqual([status, body], [200, `body ${n}`])
    }
    const { values } = await pair.metrics.counter('weft_http_retries_total').get()
    assert.deepEqual(values[0]?.labels, { destination: 'server', reason: 'connect-failure' })
  })

  it('tries another endpoint when one has left the mesh and the caller does not know yet, for any method', async () => {
    await using pair = await startPair({
      app: (sent, answer) => void bodyOf(sent).then((body) => answer.end(body)),
    })
    const left = await startWithdrawn(pair)
    const leaving = { ...pair.endpoint, port: left.port }
    pair.outboundSnapshots.change({ services: [serviceOf([pair.endpoint, leaving])] })

    for (let n = 0; n < 20; n++) {
      const { status, body } = await call(pair.outbound.port, { method: 'POST', body: `body ${n}` })
      assert.deepEqual([status, body], [200, `body ${n}`])
    }
    const { values } = await pair.metrics.counter('weft_http_retries_total').get()
    assert.deepEqual(values[0]?.labels, { destination: 'server', reason: 'refused-stream' })

    pair.outboundSnapshots.change({ services: [serviceOf([leaving])] })
    const { status, problem } = await call(pair.outbound.port, { method: 'POST', body: 'x' })
    assert.deepEqual([status, problem.code], [502, 'WEFT3004'])
    await left.drain(0)
  })

  it('answers 503 when all attempts failed', async () => {
    await using pair = await startPair()
    pair.outboundSnapshots.change({ services: [serviceOf([await deadEndpoint()])] })

    const { status, problem } = await call(pair.outbound.port, { method: 'POST', body: 'x' })

    assert.deepEqual([status, problem.code, problem.retryable], [503, 'WEFT3003', true])
  })

  it('repeats 503 for idempotent methods only', async () => {
    let requests = 0
    await using pair = await startPair({
      app: (_, answer) => answer.writeHead(requests++ % 2 === 0 ? 503 : 200).end(),
    })

    assert.equal((await call(pair.outbound.port, { method: 'PUT', body: 'x'.repeat(60_000) })).status, 200)
    assert.equal(requests, 2)
    assert.equal((await call(pair.outbound.port, { method: 'POST', body: 'x' })).status, 503)
    assert.equal(requests, 3)
  })

  it('does not repeat a body of more than it may keep', async () => {
    let requests = 0
    await using pair = await startPair({
      app: (sent, answer) => void bodyOf(sent).then(() => answer.writeHead(503).end(String(++requests))),
    })

    const { status, body } = await call(pair.outbound.port, { method: 'PUT', body: Buffer.alloc(300_000) })

    assert.deepEqual([status, body], [503, '1'])
  })

  it('gives up after the attempts of the settings, and the last answer is the one that is seen', async () => {
    let requests = 0
    await using pair = await startPair({
      app: (_, answer) => answer.writeHead(503).end(`answer ${++requests}`),
    })

    const { status, body } = await call(pair.outbound.port)

    assert.deepEqual([status, body], [503, 'answer 3'])
  })

  it('repeats nothing when the budget is used up', async () => {
    let requests = 0
    const retry = { ...DEFAULT_TRAFFIC.retry, budgetMinConcurrent: 0, budgetRatio: 0 }
    await using pair = await startPair({
      traffic: { retry },
      app: (_, answer) => answer.writeHead(503).end(String(++requests)),
    })

    assert.equal((await call(pair.outbound.port)).body, '1')
  })

  it('answers 502 to a reset before the answer where the method may not be repeated', async () => {
    let connections = 0
    const app = createServer((socket) => {
      connections++
      socket.on('error', () => {})
      socket.on('data', () => socket.destroy())
    })
    await using pair = await startPair({ app, plaintext: true })

    const { status, problem } = await call(pair.inbound.port, { method: 'POST', body: 'x' })

    assert.deepEqual([status, problem.code, connections], [502, 'WEFT3004', 1])
  })

  it('answers 504 when the app does not answer in time, and gives the request up', async () => {
    const isGone = Promise.withResolvers<void>()
    await using pair = await startPair({
      app: (_, answer) => void answer.on('close', () => isGone.resolve()),
      traffic: { requestTimeoutMs: 1000 },
    })

    const { status, problem } = await call(pair.outbound.port, { method: 'POST', body: 'x' })

    assert.deepEqual([status, problem.code], [504, 'WEFT3005'])
    await isGone.promise
  })

  it('gives up what the caller gave up', async () => {
    const isGone = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    await using pair = await startPair({
      app(_, answer) {
        arrived.resolve()
        answer.on('close', () => isGone.resolve())
      },
    })
    const sent = request({ port: pair.outbound.port, headers: { host: 'server' } })
    sent.on('error', () => {})
    sent.end()
    await arrived.promise

    sent.destroy()

    await isGone.promise
    const { values } = await pair.metrics.counter('weft_http_requests_total').get()
    assert.deepEqual([...new Set(values.map(({ labels }) => labels.status))], ['499'])
  })

  it('refuses an answer that is not HTTP', async () => {
    const app = createServer((socket) => socket.on('data', () => socket.end('SSH-2.0-OpenSSH\r\n')))
    await using pair = await startPair({ app })

    const { status, problem } = await call(pair.outbound.port)

    assert.deepEqual([status, problem.code], [502, 'WEFT3006'])
  })

  it('answers with the bytes of the app where these have begun, however the caller dawdles', async () => {
    await using pair = await startPair({
      app(sent, answer) {
        sent.resume()
        answer.end('early')
      },
    })
    const sent = request({
      port: pair.outbound.port,
      method: 'POST',
      headers: { host: 'server', 'content-length': 10 },
    })
    sent.write('12345')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]

    assert.equal(await bodyOf(answer), 'early')
    sent.end('67890')
    assert.equal((await call(pair.outbound.port)).body, 'early')
  })

  it('tunnels CONNECT to a known service, and to no other', async () => {
    await using pair = await startPair({ app: (sent, answer) => answer.end(sent.headers.host) })
    const inner = 'GET / HTTP/1.1\r\nHost: whatever\r\nConnection: close\r\n\r\n'

    const known = await exchange(pair.outbound.port, [
      'CONNECT server:80 HTTP/1.1\r\nHost: server:80\r\nConnection: close\r\n\r\n',
      inner,
    ])
    const unknown = await exchange(pair.outbound.port, [
      'CONNECT nobody:80 HTTP/1.1\r\nHost: nobody:80\r\n\r\n',
      inner,
    ])

    assert.match(known, /^HTTP\/1\.1 200 OK\r\n\r\nHTTP\/1\.1 200 OK\r\n.*server:80$/s)
    assert.match(unknown, /^HTTP\/1\.1 502 .*WEFT3001/s)
  })
})
