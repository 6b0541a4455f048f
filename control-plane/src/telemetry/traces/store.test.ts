import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newSpanId, newTraceId } from '@weft/schemas/trace-context'
import { span } from './span.test-support.ts'
import { createTraceStore } from './store.ts'

const LIMITS = { maxTraces: 10, maxSpansPerTrace: 5, maxSpans: 30, maxBytes: 1_000_000 }

test('a flood of traces keeps the newest ones', () => {
  const store = createTraceStore(LIMITS)
  const traceIds = Array.from({ length: 1000 }, newTraceId)
  store.add(traceIds.map((traceId) => span({ traceId })))
  assert.deepEqual(
    store.list().map((trace) => trace.traceId),
    traceIds.slice(-10).reverse(),
  )
  assert.equal(store.size.spans, 10)
})

test('a flood of spans of one trace is cut, counted, and leaves the others alone', () => {
  const store = createTraceStore(LIMITS)
  const [first, flooded] = [newTraceId(), newTraceId()]
  store.add([span({ traceId: first })])
  store.add(Array.from({ length: 100 }, () => span({ traceId: flooded, spanId: newSpanId() })))
  assert.equal(store.get(flooded)?.spans.size, 5)
  assert.equal(store.get(flooded)?.droppedSpans, 95)
  assert.equal(store.get(first)?.spans.size, 1)
})

test('spans of all traces together are bounded', () => {
  const store = createTraceStore({ ...LIMITS, maxTraces: 1000 })
  for (let trace = 0; trace < 50; trace++) {
    const traceId = newTraceId()
    store.add(Array.from({ length: 4 }, () => span({ traceId, spanId: newSpanId() })))
    assert.ok(store.size.spans <= 30)
  }
  assert.equal(store.size.traces, 7)
})

test('bytes of all traces together are bounded, and given back', () => {
  const store = createTraceStore({ maxTraces: 1e6, maxSpansPerTrace: 1e6, maxSpans: 1e6, maxBytes: 100_000 })
  const attributes = { text: 'x'.repeat(4000) }
  for (let trace = 0; trace < 200; trace++) {
    store.add([span({ traceId: newTraceId(), attributes })])
    assert.ok(store.size.bytes <= 100_000)
  }
  assert.ok(store.size.traces >= 10)
})

test('a span that is larger than the whole store does not stay', () => {
  const store = createTraceStore({ ...LIMITS, maxBytes: 1000 })
  const changed = store.add([span({ attributes: { text: 'x'.repeat(4000) } })])
  assert.deepEqual([store.size.traces, store.size.bytes, changed.size], [0, 0, 0])
})

test('a batch that is sent again changes nothing', () => {
  const store = createTraceStore(LIMITS)
  const spans = [span({}), span({})]
  store.add(spans)
  const before = { ...store.size }
  store.add(spans)
  assert.deepEqual({ ...store.size }, before)
})
