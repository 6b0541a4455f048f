import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GraphEdge } from '../../../telemetry/types.ts'
import { factsOf } from './facts.ts'
import { edge, graphOf, SHOP, service, topic } from './graph.test-support.ts'

const factsWith = (...edges: readonly GraphEdge[]) =>
  factsOf(graphOf([service('a'), service('b'), topic('t'), topic('t.a.dlt', 't')], edges))
const onlyKnot = (more: Partial<GraphEdge>) => factsWith(edge('consume', 'a', 't', more)).knots[0]
const onlyCall = (more: Partial<GraphEdge>) => factsWith(edge('http', 'a', 'b', more)).calls[0]

test('every node and every edge of the graph is there once', () => {
  const facts = factsOf(SHOP)
  assert.deepEqual(
    [facts.columns.length, facts.rows.length, facts.calls.length, facts.knots.length],
    [5, 5, 2, 5],
  )
})

test('a knot shows its lag, and from a hundred on it is degraded with its service', () => {
  assert.deepEqual([onlyKnot({ lag: 0 })?.label, onlyKnot({ lag: 99 })?.state], ['lag 0', 'ok'])
  const facts = factsWith(edge('consume', 'a', 't', { lag: 1204 }))
  assert.deepEqual([facts.knots[0]?.label, facts.knots[0]?.state], ['lag 1\u202f204', 'warn'])
  assert.equal(facts.columns.find(({ name }) => name === 'a')?.state, 'warn')
  assert.equal(facts.knots[0]?.spoken, 'topic t, consumed by a, lag 1\u202f204, degraded')
})

test('a knot that is refused is a cross with what was refused in a minute', () => {
  const knot = onlyKnot({ refusing: true, lag: 3, lastMinute: { total: 3, failed: 0, refused: 3 } })
  assert.deepEqual([knot?.refused, knot?.label, knot?.state], [true, 'refused 3/min', 'bad'])
  assert.equal(knot?.spoken, 'topic t, a is refused 3/min, by policy')
})

test('a knot without lag shows its rate, its count in a minute, or that it is idle', () => {
  assert.equal(onlyKnot({ ratePerSecond: 12 })?.label, '12/s')
  assert.equal(onlyKnot({ ratePerSecond: 0.3 })?.label, '20/min')
  assert.equal(onlyKnot({ ratePerSecond: 0, lastMinute: { total: 0, failed: 0, refused: 0 } })?.label, 'idle')
})

test('what is permitted and silent says so', () => {
  const silent = { configured: true, total: 0, ratePerSecond: 0 } as const
  assert.deepEqual([onlyKnot(silent)?.label, onlyKnot(silent)?.state], ['no traffic', 'silent'])
  assert.deepEqual([onlyCall(silent)?.label, onlyCall(silent)?.state], ['no traffic', 'silent'])
})

test('a call shows rate and latency, or the share that failed', () => {
  assert.deepEqual(
    [onlyCall({ meanMs: 31 })?.label, onlyCall({ meanMs: 31 })?.state],
    ['2 rps · 31 ms', 'ok'],
  )
  const failing = onlyCall({ failedPerSecond: 0.44 })
  assert.deepEqual([failing?.label, failing?.state], ['failed 22 %', 'bad'])
})

test('several groups of a service on one topic are one knot with the sum of their lag', () => {
  const facts = factsWith(
    edge('consume', 'a', 't', { group: 'one', lag: 60 }),
    edge('consume', 'a', 't', { group: 'two', lag: 50, refusing: true }),
    edge('consume', 'a', 't', { group: 'three' }),
  )
  assert.equal(facts.knots.length, 1)
  assert.deepEqual([facts.knots[0]?.groups, facts.knots[0]?.refused], [['one', 'two', 'three'], true])
})

test('dead letters make their topic fail, and an empty dead-letter topic is quiet', () => {
  const row = (total: number) => factsWith(edge('produce', 'a', 't.a.dlt', { total })).rows[1]
  assert.deepEqual(
    [row(1)?.detail, row(4)?.detail, row(4)?.state],
    ['1 dead letter', '4 dead letters', 'bad'],
  )
  assert.deepEqual([factsWith().rows[1]?.detail, factsWith().rows[1]?.state], ['no dead letters', 'silent'])
})

test('what is in a dead-letter topic counts before what was sent there, and its writer shows it', () => {
  const dead = { ...topic('t.a.dlt', 't'), records: 7 } as const
  const silent = { configured: true, total: 0, ratePerSecond: 0 } as const
  const facts = factsOf(graphOf([service('a'), topic('t'), dead], [edge('produce', 'a', 't.a.dlt', silent)]))
  assert.deepEqual([facts.rows[1]?.detail, facts.knots[0]?.label], ['7 dead letters', '7 total'])
})

test('a service is degraded with a sidecar away, and failing with all of them away', () => {
  const state = (connected: number) => factsOf(graphOf([service('a', connected, 2)], [])).columns[0]
  assert.deepEqual([state(2)?.state, state(1)?.state, state(0)?.state], ['ok', 'warn', 'bad'])
  assert.equal(state(1)?.spoken, 'service a, 1/2 · mTLS, degraded')
})
