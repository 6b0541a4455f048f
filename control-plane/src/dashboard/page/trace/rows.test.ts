import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpanJson, TraceJson, WaitJson } from '../../../telemetry/types.ts'
import { waterfallOf } from './rows.ts'

const nanos = (ms: number): string => String(1_795_200_000_000_000_000n + BigInt(Math.round(ms * 1e6)))

const span = (spanId: string, startMs: number, durationMs: number, parentSpanId?: string): SpanJson => ({
  ...{ spanId, name: spanId, kind: 'internal', service: 's', status: 'unset', attributes: {}, events: [] },
  ...{ startTimeUnixNano: nanos(startMs), durationMs },
  ...(parentSpanId !== undefined && { parentSpanId }),
})
const wait = (fromSpanId: string, toSpanId: string, startMs: number, endMs: number): WaitJson => ({
  ...{ topic: 'orders', fromSpanId, toSpanId, waitMs: endMs - startMs },
  ...{ startTimeUnixNano: nanos(startMs), endTimeUnixNano: nanos(endMs) },
})
const traceOf = (spans: readonly SpanJson[], waits: readonly WaitJson[] = []): TraceJson => ({
  ...{ traceId: '', rootName: '', startTimeUnixMs: 0, durationMs: 0, services: [], topics: [] },
  ...{ status: 'ok', spanCount: spans.length, spans, waits },
})
const shape = (trace: TraceJson) =>
  waterfallOf(trace).rows.map((row) => [
    row.kind === 'span' ? row.span.spanId : 'wait',
    row.depth,
    row.x,
    row.width,
  ])

test('children stand below their parent, and each bar where it was in time', () => {
  assert.deepEqual(
    shape(
      traceOf([span('a', 0, 100), span('b', 10, 20, 'a'), span('d', 50, 10, 'a'), span('c', 15, 5, 'b')]),
    ),
    [
      ['a', 0, 0, 100],
      ['b', 1, 10, 20],
      ['c', 2, 15, 5],
      ['d', 1, 50, 10],
    ],
  )
})

test('a wait has a row of its own above the span that ended it, from the send to the processing', () => {
  const trace = traceOf([span('a', 0, 20), span('b', 80, 20, 'a')], [wait('a', 'b', 20, 80)])
  assert.deepEqual(shape(trace), [
    ['a', 0, 0, 20],
    ['wait', 1, 20, 60],
    ['b', 1, 80, 20],
  ])
})

test('spans whose parent is not here are roots', () => {
  assert.deepEqual(
    shape(traceOf([span('b', 0, 50, 'gone'), span('c', 50, 50, 'b')])).map(([id, depth]) => [id, depth]),
    [
      ['b', 0],
      ['c', 1],
    ],
  )
})

test('parents in a circle are drawn once each, and end', () => {
  const rows = shape(traceOf([span('a', 0, 1, 'b'), span('b', 0, 1, 'a'), span('c', 0, 1, 'c')]))
  assert.deepEqual(rows.map(([id]) => String(id)).sort(), ['a', 'b', 'c'])
})

test('a chain of two thousand spans is laid out', () => {
  const chain = Array.from({ length: 2000 }, (_, index) =>
    span(String(index), index, 1, index === 0 ? undefined : String(index - 1)),
  )
  assert.equal(waterfallOf(traceOf(chain)).rows.at(-1)?.depth, 1999)
})

test('a trace without any length is one full bar', () => {
  assert.deepEqual(shape(traceOf([span('a', 5, 0)])), [['a', 0, 0, 100]])
  assert.deepEqual(waterfallOf(traceOf([])).rows, [])
})

test('ticks stand at round times, six spaces at most', () => {
  const ticks = (ms: number) => waterfallOf(traceOf([span('a', 0, ms)])).ticks.map((tick) => tick.ms)
  assert.deepEqual(ticks(226), [0, 50, 100, 150, 200])
  assert.deepEqual(ticks(1), [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1])
  assert.ok(ticks(12_345_678).length <= 7)
})
