import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createLog } from '@weft/schemas/node/log'
import { createMetrics } from '@weft/schemas/node/metrics'
import { spiffeId } from '@weft/schemas/spiffe'
import { fastify } from 'fastify'
import { registerTelemetryRoutes } from './routes.ts'
import { createTelemetry } from './telemetry.ts'
import type { TraceJson, TraceSummary } from './types.ts'

const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'otlp', 'fixtures', name))
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const MIB = 1024 * 1024

async function start(t: TestContext) {
  const metrics = createMetrics()
  const log = createLog('test')
  log.level = 'silent'
  const telemetry = createTelemetry({ log, metrics, resources: () => [], sidecars: () => [] })
  const app = fastify({ forceCloseConnections: true })
  registerTelemetryRoutes(app, telemetry)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const post = (body: Uint8Array | string, type: string, encoding?: string): Promise<Response> =>
    fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': type, ...(encoding !== undefined && { 'content-encoding': encoding }) },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    })
  return { app, url, telemetry, metrics, post }
}

test('spans that came as protobuf and as JSON, packed or not, make the same trace', async (t) => {
  for (const [name, type] of [
    ['sdk.pb', 'application/x-protobuf'],
    ['sdk.json', 'application/json'],
  ] as const) {
    const { url, post } = await start(t)
    for (const [body, encoding] of [
      [fixture(name), undefined],
      [gzipSync(fixture(name)), 'gzip'],
    ] as const) {
      const answer = await post(body, type, encoding)
      assert.deepEqual([answer.status, answer.headers.get('content-type')?.split(';')[0]], [200, type])
    }
    const trace = (await (await fetch(`${url}/api/v1/traces/${TRACE}`)).json()) as TraceJson
    assert.equal(trace.spanCount, 3)
    assert.deepEqual(trace.topics, ['orders'])
    assert.equal(trace.waits.length, 1)
    assert.equal(trace.waits[0]?.waitMs, 30)
  }
})

test('what cannot be read is 400, and nothing of it is kept', async (t) => {
  const { post, telemetry } = await start(t)
  for (const [body, type, encoding] of [
    ['{"resourceSpans":', 'application/json', undefined],
    ['[]', 'application/json', undefined],
    [fixture('sdk.pb').subarray(0, 100), 'application/x-protobuf', undefined],
    [Buffer.from('ffffffffff', 'hex'), 'application/x-protobuf', undefined],
    ['not gzip', 'application/json', 'gzip'],
    [gzipSync(fixture('sdk.pb')).subarray(0, 50), 'application/x-protobuf', 'gzip'],
    ['{}', 'application/json', 'br'],
  ] as const) {
    const answer = await post(body, type, encoding)
    assert.equal(answer.status, 400, String(body))
    assert.equal(answer.headers.get('content-type')?.split(';')[0], 'application/problem+json')
  }
  assert.deepEqual(telemetry.traces({ limit: 10 }), [])
})

test('a body that is too large, or becomes so unpacked, is 413', async (t) => {
  const { post } = await start(t)
  assert.equal((await post(Buffer.alloc(4 * MIB + 1), 'application/x-protobuf')).status, 413)
  const bomb = gzipSync(Buffer.alloc(64 * MIB))
  assert.ok(bomb.length < MIB)
  assert.equal((await post(bomb, 'application/x-protobuf', 'gzip')).status, 413)
})

test('another content type is 415: a web page cannot send spans without asking first', async (t) => {
  const { post } = await start(t)
  assert.equal((await post('{}', 'text/plain')).status, 415)
})

test('spans without valid ids are a partial success', async (t) => {
  const { post, metrics } = await start(t)
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 'x' }] }] }] })
  const answer = await post(body, 'application/json')
  assert.equal(answer.status, 200)
  const { partialSuccess } = (await answer.json()) as { partialSuccess: { rejectedSpans: string } }
  assert.equal(partialSuccess.rejectedSpans, '1')
  assert.match(await metrics.registry.metrics(), /weft_telemetry_spans_total\{outcome="rejected"\} 1/)
})

test('traces are listed by service and topic, and no more than were asked for', async (t) => {
  const { url, post } = await start(t)
  await post(fixture('sdk.pb'), 'application/x-protobuf')
  const list = async (query: string): Promise<number> => {
    const { items } = (await (await fetch(`${url}/api/v1/traces${query}`)).json()) as {
      items: TraceSummary[]
    }
    return items.length
  }
  assert.deepEqual(
    [
      await list(''),
      await list('?service=order-service&topic=orders'),
      await list('?service=nobody'),
      await list('?topic=none'),
      await list('?limit=1'),
    ],
    [1, 1, 0, 0, 1],
  )
  for (const limit of ['0', '-1', 'x', '1e9', '1&limit=2']) {
    assert.equal((await fetch(`${url}/api/v1/traces?limit=${limit}`)).status, 400, limit)
  }
})

test('a trace that is not there is a problem, whatever its id looks like', async (t) => {
  const { url } = await start(t)
  for (const id of [
    'f'.repeat(32),
    '0'.repeat(32),
    'x',
    '..%2f..%2fetc',
    '__proto__',
    '%00',
    'a'.repeat(90),
  ]) {
    const answer = await fetch(`${url}/api/v1/traces/${id}`)
    assert.equal(answer.status, 404, id)
  }
})

test('the stream tells graph and status at once, and each trace as it grows', async (t) => {
  const { url, post, app } = await start(t)
  const stream = await openStream(url)
  assert.match(await stream.until('event: status'), /event: graph\ndata: \{"generatedAtUnixMs"/)

  await post(fixture('sdk.pb'), 'application/x-protobuf')
  assert.match(await stream.until('event: trace'), new RegExp(TRACE))

  const ended = once(stream.answer, 'end')
  await app.close()
  await ended
})

test('a report is in the graph and in the stream within a tick', async (t) => {
  const { url, telemetry } = await start(t)
  const stream = await openStream(url)
  await stream.until('event: status')
  telemetry.report(spiffeId('weft.local', 'default', 'shop'), 'shop-1', [
    {
      ...{ kind: 'produce', source: 'shop', destination: 'clicks', group: '' },
      ...{ total: 1n, failed: 0n, refused: 0n, durationSeconds: 0 },
    },
  ])
  await stream.until('"topic:clicks"')
  const graph = (await (await fetch(`${url}/api/v1/graph`)).json()) as { edges: unknown[] }
  assert.equal(graph.edges.length, 1)
})

async function openStream(url: string) {
  const [answer] = (await once(get(`${url}/api/v1/stream`), 'response')) as [IncomingMessage]
  assert.equal(answer.headers['content-type'], 'text/event-stream; charset=utf-8')
  let came = ''
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    came += chunk
  })
  return {
    answer,
    until: async (text: string): Promise<string> => {
      while (!came.includes(text)) await once(answer, 'data')
      return came
    },
  }
}
