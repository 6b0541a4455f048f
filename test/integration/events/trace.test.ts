import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpanKind } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import {
  App,
  createTopic,
  eventually,
  snapshotOf,
  startBridge,
  startWorld,
  subscriptionEntry,
  topicEntry,
} from './world.ts'

test('publication and processing are spans of the caller’s trace, with parents and a link; what is not sampled is none', async () => {
  const exporter = new InMemorySpanExporter()
  const tracer = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }).getTracer(
    'test',
  )
  await using world = await startWorld()
  await createTopic(world, 'orders')
  let failures = 1
  await using app = await App.start(() => (failures-- > 0 ? 503 : 204))
  const snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics: [topicEntry('orders')],
    subscriptions: [subscriptionEntry('orders')],
  })
  await using bridge = await startBridge(snapshots, { appPort: app.port, tracer })
  const publish = async (headers: Record<string, string>) => {
    const response = await fetch(`${bridge.url}/v1/topics/orders/events`, {
      method: 'POST',
      body: 'x',
      headers,
    })
    await response.text()
    return response.headers.get('traceparent')?.split('-') ?? []
  }
  const spans = (kind: SpanKind): ReadableSpan[] =>
    exporter.getFinishedSpans().filter((span) => span.kind === kind)

  const [, traceId, spanId, flags] = await publish({
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  })
  assert.deepEqual([traceId, flags], ['0af7651916cd43dd8448eb211c80319c', '01'])
  await app.until((got) => got.length === 2)
  await eventually(async () => spans(SpanKind.CONSUMER).length === 1)
  const [send] = spans(SpanKind.PRODUCER)
  const [process] = spans(SpanKind.CONSUMER)
  assert.equal(send?.name, 'send orders')
  assert.equal(send?.spanContext().spanId, spanId)
  assert.equal(send?.parentSpanContext?.spanId, 'b7ad6b7169203331')
  assert.equal(send?.attributes['messaging.kafka.offset'], 0)
  assert.equal(process?.name, 'process orders')
  assert.equal(process?.parentSpanContext?.spanId, spanId)
  assert.equal(process?.links[0]?.context.spanId, spanId)
  assert.equal(process?.attributes['messaging.consumer.group.name'], 'orders-group')
  assert.deepEqual(
    process?.events.map(({ attributes }) => attributes?.['weft.attempt']),
    [1],
    'one span, attempts as events',
  )
  const handed = app.got.map(({ headers }) => String(headers.traceparent).split('-')[2])
  assert.deepEqual(new Set(handed), new Set([process?.spanContext().spanId]))

  // Nobody asked for a trace, and the mesh samples none: ids are made and handed on, nothing is recorded.
  const [, unsampled, , flag] = await publish({})
  assert.equal(flag, '00')
  await app.until((got) => got.length === 3)
  assert.equal(String(app.got[2]?.headers.traceparent).split('-')[1], unsampled)
  // The mesh samples all: a root.
  snapshots.change({ samplingRatio: 1 })
  const [, root] = await publish({})
  await eventually(async () => spans(SpanKind.CONSUMER).length === 2)
  assert.equal(spans(SpanKind.PRODUCER).length, 2)
  assert.equal(spans(SpanKind.PRODUCER)[1]?.spanContext().traceId, root)
  assert.equal(spans(SpanKind.PRODUCER)[1]?.parentSpanContext, undefined)
})
