import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatTraceparent,
  isUnsampled,
  newSpanId,
  newTraceId,
  newUnsampled,
  parseTraceparent,
} from './trace-context.ts'

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

test('new contexts are whole, say not to record, and all differ, over many batches', () => {
  const made = Array.from({ length: 1_000 }, () => newUnsampled())
  assert.equal(new Set(made).size, made.length)
  for (const text of made) {
    assert.equal(parseTraceparent(text)?.sampled, false)
    assert.equal(isUnsampled(text), true)
  }
})

test('what is handed on as it came is what would be written', () => {
  for (const flags of ['00', '01', '02', 'ff']) {
    const text = `00-${TRACE}-${SPAN}-${flags}`
    const context = parseTraceparent(text)
    assert.ok(context)
    assert.equal(isUnsampled(text), !context.sampled && formatTraceparent(context) === text)
  }
  for (const text of [
    `01-${TRACE}-${SPAN}-00`,
    `00-${'0'.repeat(32)}-${SPAN}-00`,
    `00-${TRACE}-${'0'.repeat(16)}-00`,
  ])
    assert.equal(isUnsampled(text), false)
})
