import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Span } from '../otlp/draft.ts'
import { describeTrace } from './describe.ts'
import { span as anySpan } from './span.test-support.ts'
import type { StoredTrace } from './store.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const ms = (value: number): bigint => BigInt(Math.round(value * 1e6))
const id = (digit: string): string => digit.repeat(16)

const span = (spanId: string, startMs: number, endMs: number, parts: Partial<Span> = {}): Span =>
  anySpan({ traceId: TRACE, spanId, startTimeUnixNano: ms(startMs), endTimeUnixNano: ms(endMs), ...parts })
const traceOf = (...spans: readonly Span[]): StoredTrace => ({
  traceId: TRACE,
  spans: new Map(spans.map((each) => [each.spanId, each])),
  droppedSpans: 0,
})
const orders = { attributes: { 'messaging.destination.name': 'orders' } }

test('a trace is told by its root, its services in order of appearance, its topics, and its whole length', () => {
  const trace = describeTrace(
    traceOf(
      span(id('c'), 50, 70, {
        parentSpanId: id('b'),
        kind: 'consumer',
        service: 'billing-service',
        ...orders,
      }),
      span(id('b'), 10, 20, { parentSpanId: id('a'), kind: 'producer', ...orders }),
      span(id('a'), 0, 30, {
        name: 'order-service',
        attributes: { 'http.request.method': 'POST', 'url.path': '/orders' },
      }),
    ),
  )
  assert.equal(trace.rootName, 'order-service')
  assert.equal(trace.rootTarget, 'POST /orders')
  assert.equal(trace.durationMs, 70)
  assert.deepEqual(trace.services, ['order-service', 'billing-service'])
  assert.deepEqual(trace.topics, ['orders'])
  assert.equal(trace.status, 'ok')
  assert.deepEqual(
    trace.spans.map((each) => each.spanId),
    [id('a'), id('b'), id('c')],
  )
})

test('one span in error makes the trace one in error', () => {
  assert.equal(
    describeTrace(traceOf(span(id('a'), 0, 1), span(id('b'), 0, 1, { status: 'error' }))).status,
    'error',
  )
})

test('an event waits from the end of its send to the start of its processing', () => {
  const { waits } = describeTrace(
    traceOf(
      span(id('b'), 10, 20, { kind: 'producer', ...orders }),
      span(id('c'), 50, 70, { kind: 'consumer', parentSpanId: id('b') }),
    ),
  )
  assert.deepEqual(waits, [
    {
      topic: 'orders',
      fromSpanId: id('b'),
      toSpanId: id('c'),
      startTimeUnixNano: '20000000',
      endTimeUnixNano: '50000000',
      waitMs: 30,
    },
  ])
})

test('a link to a producer counts where the parent is none, and one into another trace does not', () => {
  const producer = span(id('b'), 10, 20, { kind: 'producer', ...orders })
  const consumer = (traceId: string): Span =>
    span(id('c'), 50, 70, { kind: 'consumer', parentSpanId: id('f'), links: [{ traceId, spanId: id('b') }] })
  assert.equal(describeTrace(traceOf(producer, consumer(TRACE))).waits.length, 1)
  assert.equal(describeTrace(traceOf(producer, consumer('f'.repeat(32)))).waits.length, 0)
})

test('a consumer that starts before the acknowledgement did not wait', () => {
  const { waits } = describeTrace(
    traceOf(
      span(id('b'), 10, 20, { kind: 'producer', ...orders }),
      span(id('c'), 15, 70, { kind: 'consumer', parentSpanId: id('b') }),
    ),
  )
  assert.deepEqual([waits[0]?.waitMs, waits[0]?.clockSkew], [0, undefined])
})

test('a consumer that starts before its producer says that the clocks differ', () => {
  const { waits } = describeTrace(
    traceOf(
      span(id('b'), 10, 20, { kind: 'producer', ...orders }),
      span(id('c'), 5, 70, { kind: 'consumer', parentSpanId: id('b') }),
    ),
  )
  assert.deepEqual([waits[0]?.waitMs, waits[0]?.clockSkew], [0, true])
})

test('a parent that has not arrived is marked, and the earliest span stands for the root', () => {
  const trace = describeTrace(traceOf(span(id('b'), 10, 20, { name: 'late', parentSpanId: id('a') })))
  assert.equal(trace.spans[0]?.parentMissing, true)
  assert.equal(trace.rootName, 'late')
})

test('the peer is the one that Weft proved, before the address that was called', () => {
  const attributes = { 'server.address': 'order-service', 'weft.peer': 'spiffe://weft.local/ns/default/sa/x' }
  const [shown] = describeTrace(traceOf(span(id('a'), 0, 1, { attributes }))).spans
  assert.equal(shown?.peer, 'spiffe://weft.local/ns/default/sa/x')
})
