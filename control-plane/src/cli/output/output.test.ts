import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpanJson, TraceJson, WaitJson } from '../../telemetry/types.ts'
import { screen } from '../io.ts'
import { pickFormat, toJson, toYaml } from './format.ts'
import { age, duration, printable, renderTable } from './table.ts'
import { renderWaterfall } from './waterfall.ts'

const PLAIN = screen({ write: () => {} }, false)

test('a table has columns two spaces apart, a dash for nothing, and no space at the end of a line', () => {
  assert.equal(
    renderTable(
      ['NAME', 'STATE'],
      [
        ['a', 'ready'],
        ['longer', ''],
      ],
    ),
    'NAME    STATE\na       ready\nlonger  -\n',
  )
  assert.equal(renderTable(['NAME'], []), '')
})

test('colours do not move the columns', () => {
  const red = screen({ write: () => {} }, true).paint('red', 'no')
  const plain = renderTable(['A', 'B'], [[red, 'x']])
    .replaceAll('\u001b[31m', '')
    .replaceAll('\u001b[39m', '')
  assert.equal(plain, 'A   B\nno  x\n')
})

test('what comes from elsewhere cannot move the cursor or break a line', () => {
  assert.equal(printable('a\u001b[2Jb\nc\u0007\u009b1A'), 'a�[2Jb c��1A')
})

test('ages and durations are in the largest unit that fits', () => {
  const now = Date.UTC(2026, 0, 2)
  assert.deepEqual(
    [0, 5_000, 90_000, 7_300_000, 200_000_000].map((ms) => age(now - ms, now)),
    ['0s', '5s', '1m', '2h', '2d'],
  )
  assert.equal(age('not a date', now), '-')
  assert.deepEqual([0.0123, 12.34, 1800].map(duration), ['12 µs', '12.3 ms', '1.8 s'])
})

test('lists are documents with dashes between in YAML, and two spaces deep in JSON', () => {
  assert.equal(toYaml([{ a: 1 }, { b: [1] }]), 'a: 1\n---\nb:\n  - 1\n')
  assert.equal(toJson({ a: 1 }), '{\n  "a": 1\n}\n')
})

test('the first form that a command offers is its default', () => {
  assert.equal(pickFormat(undefined, ['table', 'json']), 'table')
  assert.equal(pickFormat('json', ['table', 'json']), 'json')
  assert.throws(() => pickFormat('name', ['table', 'json']), /-o name is not possible here/)
})

const span = (
  spanId: string,
  startMs: number,
  durationMs: number,
  more: Partial<SpanJson> = {},
): SpanJson => ({
  spanId,
  name: spanId,
  kind: 'internal',
  service: 'shop',
  startTimeUnixNano: String(1_000_000_000n + BigInt(startMs) * 1_000_000n),
  durationMs,
  status: 'ok',
  attributes: {},
  events: [],
  ...more,
})

const trace = (spans: readonly SpanJson[], waits: readonly WaitJson[] = []): TraceJson => ({
  traceId: 'a'.repeat(32),
  rootName: 'root',
  startTimeUnixMs: 1000,
  durationMs: 100,
  services: ['shop'],
  topics: [],
  status: 'ok',
  spanCount: spans.length,
  spans,
  waits,
})

test('a waterfall indents each span below its parent and draws the wait in a topic as dots', () => {
  const wait: WaitJson = {
    topic: 'orders',
    fromSpanId: 'send',
    toSpanId: 'process',
    startTimeUnixNano: String(1_020_000_000n),
    endTimeUnixNano: String(1_070_000_000n),
    waitMs: 50,
  }
  const spans = [
    span('root', 0, 20),
    span('send', 10, 10, { parentSpanId: 'root', topic: 'orders' }),
    span('process', 70, 30, { parentSpanId: 'send', topic: 'orders', service: 'billing', status: 'error' }),
  ]
  assert.equal(
    renderWaterfall(trace(spans, [wait]), PLAIN),
    [
      '     0 µs   20.0 ms  ██████                            root                  shop',
      '  10.0 ms   10.0 ms     ███                              send                shop',
      '  20.0 ms   50.0 ms        ················                waited in orders',
      '  70.0 ms   30.0 ms                        ██████████      process           billing ✕',
      '',
    ].join('\n'),
  )
})

test('a trace whose parents are missing or form a circle loses no span', () => {
  const spans = [
    span('a', 0, 1, { parentSpanId: 'b' }),
    span('b', 1, 1, { parentSpanId: 'a' }),
    span('c', 2, 1, { parentSpanId: 'gone' }),
  ]
  const text = renderWaterfall(trace(spans), PLAIN)
  assert.equal(text.trimEnd().split('\n').length, 3)
  assert.equal(renderWaterfall({ ...trace([]), durationMs: 0 }, PLAIN), '\n')
})
