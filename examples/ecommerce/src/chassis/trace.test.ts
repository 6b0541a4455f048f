import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TRACE_ID, TRACEPARENT } from './service.test-support.ts'
import { traceHeaders, traceIdOf } from './trace.ts'

test('traceparent, tracestate and baggage are passed on, and nothing else', () => {
  const headers = { traceparent: TRACEPARENT, tracestate: 'a=1', baggage: 'user=7', cookie: 'secret' }

  assert.deepEqual(traceHeaders(headers), { traceparent: TRACEPARENT, tracestate: 'a=1', baggage: 'user=7' })
})

test('headers of a Kafka record are bytes and become texts', () => {
  assert.deepEqual(traceHeaders({ traceparent: Buffer.from(TRACEPARENT), baggage: undefined }), {
    traceparent: TRACEPARENT,
  })
})

test('the trace id is read from traceparent; outside of a mesh there is none', () => {
  assert.equal(traceIdOf({ traceparent: TRACEPARENT }), TRACE_ID)
  assert.equal(traceIdOf({}), undefined)
  assert.equal(traceIdOf({ traceparent: 'nonsense' }), undefined)
})
