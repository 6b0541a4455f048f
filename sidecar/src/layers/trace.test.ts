import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SpanKind } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { call } from '../outbound/calling.test-support.ts'
import { type PairOptions, startPair } from '../outbound/pair.test-support.ts'

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

async function spansOf(headers: Record<string, string>, options: Pick<PairOptions, 'snapshot' | 'app'> = {}) {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const seen: (string | undefined)[] = []
  await using pair = await startPair({
    tracer: provider.getTracer('test'),
    app(sent, answer) {
      seen.push(String(sent.headers.traceparent), sent.headers.tracestate as string | undefined)
      answer.end()
    },
    ...options,
  })
  const answer = await call(pair.outbound.port, { path: '/a?secret=1', headers })
  const spans = exporter.getFinishedSpans().toReversed()
  return { answer, spans, traceparent: seen[0], tracestate: seen[1] }
}

describe('the trace of a request', () => {
  it('goes from the caller through both sidecars to the app, each hop the child of the one before', async () => {
    const { spans, traceparent, tracestate } = await spansOf({ traceparent: PARENT, tracestate: 'a=b' })

    const [client, server] = spans
    assert.deepEqual(
      spans.map(({ name, kind }) => [name, kind]),
      [
        ['GET server', SpanKind.CLIENT],
        ['GET server', SpanKind.SERVER],
      ],
    )
    assert.equal(client?.parentSpanContext?.spanId, 'b7ad6b7169203331')
    assert.equal(server?.parentSpanContext?.spanId, client.spanContext().spanId)
    assert.equal(traceparent, `00-0af7651916cd43dd8448eb211c80319c-${server.spanContext().spanId}-01`)
    assert.equal(tracestate, 'a=b')
  })

  it('says what was called, by whom, and how it ended, without the query', async () => {
    const { spans } = await spansOf({ traceparent: PARENT })

    assert.deepEqual(spans[0]?.attributes, {
      'http.request.method': 'GET',
      'url.path': '/a',
      'url.scheme': 'http',
      'server.address': 'server',
      'http.response.status_code': 200,
      'weft.peer': 'spiffe://weft.local/ns/default/sa/server',
    })
    assert.equal(spans[1]?.attributes['weft.peer'], 'spiffe://weft.local/ns/default/sa/client')
  })

  it('names the policy that refused', async () => {
    const { spans } = await spansOf({ traceparent: PARENT }, { snapshot: { defaultAction: 'deny' } })

    assert.equal(spans[1]?.attributes['weft.policy'], '-')
    assert.equal(spans[1].attributes['http.response.status_code'], 403)
  })

  it('is not recorded where the caller said so, and goes on with its flag', async () => {
    const { spans, traceparent } = await spansOf(
      { traceparent: PARENT.replace(/01$/, '00') },
      { snapshot: { samplingRatio: 1 } },
    )

    assert.deepEqual(spans, [])
    assert.equal(traceparent, PARENT.replace(/01$/, '00'))
  })

  it('begins here without a caller, recorded by the ratio of the snapshot', async () => {
    const all = await spansOf({}, { snapshot: { samplingRatio: 1 } })
    const none = await spansOf({}, { snapshot: { samplingRatio: 0 } })

    assert.equal(all.spans.length, 2)
    assert.match(String(all.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    assert.deepEqual(none.spans, [])
    assert.match(String(none.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  })

  it('is begun anew where what came is no trace context, and its state is dropped', async () => {
    for (const bad of [
      '00-xyz',
      `ff${PARENT.slice(2)}`,
      PARENT.replace(/-b7ad6b7169203331-/, `-${'0'.repeat(16)}-`),
    ]) {
      const { traceparent, tracestate } = await spansOf({ traceparent: bad, tracestate: 'a=b' })
      assert.match(String(traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
      assert.ok(!String(traceparent).includes('0af7651916cd43dd8448eb211c80319c'))
      assert.equal(tracestate, undefined)
    }
  })

  it('is named in the answer, unless the app names one', async () => {
    const named = await spansOf({ traceparent: PARENT })
    const own = await spansOf(
      { traceparent: PARENT },
      { app: (_, answer) => void answer.setHeader('traceparent', 'own').end() },
    )

    assert.match(String(named.answer.headers.traceparent), /^00-0af7651916cd43dd8448eb211c80319c-/)
    assert.equal(own.answer.headers.traceparent, 'own')
  })
})

describe('the count of requests', () => {
  it('has one line for each side, with who called whom', async () => {
    await using pair = await startPair()
    await call(pair.outbound.port)
    await call(pair.outbound.port, { host: 'nobody' })

    const { values } = await pair.metrics.counter('weft_http_requests_total').get()
    const lines = values.map(
      ({ labels, value }) =>
        `${labels.direction} ${labels.source}>${labels.destination} ${labels.status}: ${value}`,
    )
    assert.deepEqual(
      lines.toSorted((a, b) => (a < b ? -1 : 1)),
      ['inbound client>server 200: 1', 'outbound client>- 502: 1', 'outbound client>server 200: 1'],
    )
    const times = await pair.metrics.histogram('weft_http_request_duration_seconds').get()
    const counts = times.values.filter(({ metricName }) => metricName?.endsWith('_count'))
    assert.deepEqual(
      counts.map(({ value }) => value),
      [1, 1, 1],
    )
  })
})
