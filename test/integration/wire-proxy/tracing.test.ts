/** `send` and `process` spans, and a context in every record, for clients that know nothing of it. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, type TestContext, test } from 'node:test'
import { SpanKind } from '@opentelemetry/api'
import { parseTraceparent } from '@weft/schemas/trace-context'
import { CompressionTypes, type IHeaders, type KafkaMessage } from 'kafkajs'
import {
  allow,
  type Bridge,
  createTopics,
  eventually,
  startBridge,
  startWorld,
  topicEntry,
  type World,
} from './world.ts'

let world: World
let bridge: Bridge
const topics = ['sampled', 'unsampled', 'zipped', 'unzipped', 'untraced', 'mixed', 'again'] as const

before(async () => {
  world = await startWorld()
  await createTopics(world, ...topics)
  bridge = await startBridge(
    world,
    topics.map((topic) => allow(topic, ['produce', 'consume'], ['*'])),
    { topics: [topicEntry('unzipped', { trace: 'always' }), topicEntry('untraced', { trace: 'never' })] },
  )
})
beforeEach(() => bridge.spans.reset())
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'

async function send(
  topic: string,
  messages: readonly { value: string; headers?: IHeaders }[],
  compressed = false,
) {
  const producer = bridge.kafka.producer()
  await producer.connect()
  await producer.send({
    topic,
    messages: messages.map((message) => ({ partition: 0, ...message })),
    ...(compressed && { compression: CompressionTypes.GZIP }),
  })
  await producer.disconnect()
}

async function receive(
  t: TestContext,
  kafka: Bridge['kafka'],
  topic: string,
  wanted: number,
): Promise<KafkaMessage[]> {
  const consumer = kafka.consumer({ groupId: `${topic}-${Math.random()}`, maxWaitTimeInMs: 100 })
  t.after(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const got: KafkaMessage[] = []
  const committed = new Promise((resolve) => consumer.on(consumer.events.COMMIT_OFFSETS, resolve))
  await consumer.run({
    eachMessage: async ({ message }) => {
      got.push(message)
    },
  })
  await eventually(`${wanted} records`, () => got.length >= wanted)
  await committed
  return got
}

const contextIn = (message: KafkaMessage | undefined) => {
  const value = message?.headers?.traceparent
  return parseTraceparent(value === undefined || Array.isArray(value) ? undefined : String(value))
}

/** Finished spans of one name that did not end in an error: a send to a topic that has just been made may be tried twice. */
const finished = (name: string) =>
  bridge.spans
    .getFinishedSpans()
    .filter((span) => span.name === name && span.attributes['error.type'] === undefined)

test('a sampled record is sent and processed under its own trace, each hop a child of the one before', async (t) => {
  const headers = { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01`, baggage: 'user=1' }
  await send('sampled', [{ value: 'one', headers }])
  const [message] = await receive(t, bridge.kafka, 'sampled', 1)
  const delivered = contextIn(message)
  const isDelivered = (span: { spanContext(): { spanId: string } }) =>
    span.spanContext().spanId === delivered?.spanId
  await eventually('the end of the process span', () => finished('process sampled').some(isDelivered))

  const processed = finished('process sampled').find(isDelivered)
  const [sent] = finished('send sampled')
  assert.equal(sent?.kind, SpanKind.PRODUCER)
  assert.equal(sent?.spanContext().traceId, TRACE_ID)
  assert.equal(sent?.parentSpanContext?.spanId, SPAN_ID)
  assert.equal(sent?.attributes['messaging.kafka.offset'], 0)
  assert.equal(processed?.kind, SpanKind.CONSUMER)
  assert.equal(processed?.spanContext().traceId, TRACE_ID)
  assert.equal(processed?.parentSpanContext?.spanId, sent?.spanContext().spanId)
  assert.match(String(processed?.attributes['messaging.consumer.group.name']), /^sampled-/)
  assert.equal(processed?.attributes['weft.ended'], undefined)
  assert.equal(delivered?.sampled, true)
  assert.equal(String(message?.headers?.baggage), 'user=1')
})

test('a record without a context gets one that says "not sampled", and costs no span', async (t) => {
  await send('unsampled', [{ value: 'one' }, { value: 'two', headers: { other: 'x' } }])
  const messages = await receive(t, world.direct, 'unsampled', 2)

  assert.deepEqual(
    messages.map(({ value }) => String(value)),
    ['one', 'two'],
  )
  const contexts = messages.map(contextIn)
  assert.deepEqual(
    contexts.map((context) => context?.sampled),
    [false, false],
  )
  assert.notEqual(contexts[0]?.traceId, contexts[1]?.traceId)
  assert.equal(String(messages[1]?.headers?.other), 'x')
  assert.equal(bridge.spans.getFinishedSpans().length, 0)
})

test('a compressed batch passes as it is', async (t) => {
  await send('zipped', [{ value: 'one' }], true)
  const [message] = await receive(t, bridge.kafka, 'zipped', 1)
  assert.deepEqual(message?.headers, {})
})

test('a compressed batch is traced too where its topic asks for that', async (t) => {
  const headers = { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` }
  await send('unzipped', [{ value: 'with', headers }, { value: 'without' }], true)
  const [given, made] = await receive(t, bridge.kafka, 'unzipped', 2)

  await eventually('the end of the process span', () => finished('process unzipped').length === 1)
  const [sent] = finished('send unzipped')
  const [processed] = finished('process unzipped')
  assert.equal(sent?.parentSpanContext?.spanId, SPAN_ID)
  // To write its id into the record the batch would have to be packed a third time.
  assert.equal(contextIn(given)?.spanId, sent?.spanContext().spanId)
  assert.equal(processed?.parentSpanContext?.spanId, sent?.spanContext().spanId)
  assert.equal(contextIn(made)?.sampled, false)
})

test('nothing is traced where the topic says never', async (t) => {
  const traceparent = `00-${TRACE_ID}-${SPAN_ID}-01`
  await send('untraced', [{ value: 'with', headers: { traceparent } }, { value: 'without' }])
  const [given, bare] = await receive(t, bridge.kafka, 'untraced', 2)
  assert.equal(String(given?.headers?.traceparent), traceparent)
  assert.deepEqual(bare?.headers, {})
  assert.equal(bridge.spans.getFinishedSpans().length, 0)
})

test('a batch of records with and without context keeps the ones and completes the others', async (t) => {
  bridge.snapshots.change({ samplingRatio: 1 })
  t.after(() => bridge.snapshots.change({ samplingRatio: 0 }))
  const traceparent = `00-${TRACE_ID}-${SPAN_ID}-00`
  await send('mixed', [{ value: 'with', headers: { traceparent } }, { value: 'without' }])
  const [given, made] = await receive(t, world.direct, 'mixed', 2)

  assert.deepEqual(contextIn(given), { traceId: TRACE_ID, spanId: SPAN_ID, sampled: false })
  const [root] = finished('send mixed')
  assert.equal(root?.parentSpanContext, undefined)
  const { traceId, spanId } = root?.spanContext() ?? {}
  assert.deepEqual(contextIn(made), { traceId, spanId, sampled: true })
})

test('a record that is not committed ends its span with the connection', async (t) => {
  await send('again', [{ value: 'one', headers: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` } }])
  const consumer = bridge.kafka.consumer({ groupId: 'never', maxWaitTimeInMs: 100 })
  t.after(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topic: 'again', fromBeginning: true })
  let seen = 0
  await consumer.run({
    autoCommit: false,
    eachMessage: async () => {
      seen++
    },
  })
  await eventually('the record', () => seen === 1)

  await consumer.disconnect()

  await eventually('the span', () => finished('process again').length === 1)
  assert.equal(finished('process again')[0]?.attributes['weft.ended'], 'connection-closed')
})
