import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTraceparent, newSpanId, newTraceId, parseTraceparent } from './trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

test('a traceparent is read and written the same', () => {
  const text = `00-${TRACE}-${SPAN}-01`
  const context = parseTraceparent(text)
  assert.deepEqual(context, { traceId: TRACE, spanId: SPAN, sampled: true })
  assert.equal(context && formatTraceparent(context), text)
})

test('a version that is not known yet is read by its first four fields', () => {
  assert.equal(parseTraceparent(`cc-${TRACE}-${SPAN}-00-what-else`)?.sampled, false)
})

for (const text of [
  undefined,
  '',
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}`,
]) {
  test(`${JSON.stringify(text)} is ignored`, () => assert.equal(parseTraceparent(text), undefined))
}

test('new ids have their form and differ', () => {
  assert.match(newTraceId(), /^[0-9a-f]{32}$/)
  assert.match(newSpanId(), /^[0-9a-f]{16}$/)
  assert.notEqual(newTraceId(), newTraceId())
})
