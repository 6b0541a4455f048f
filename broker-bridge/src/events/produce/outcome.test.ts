import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcomeOf } from './outcome.ts'

const of = (errorCode: number, errorMessage: string | null = null) =>
  outcomeOf('t', { errorCode, baseOffset: 7n, errorMessage })

test('a batch without an error is stored', () => {
  assert.deepEqual(of(0), { kind: 'stored', baseOffset: 7n })
})

test('a partition that moved is asked for again, what the broker may have stored is repeated as it was', () => {
  const moved = of(6)
  assert.ok(moved.kind === 'again' && moved.needsLeader && !moved.maybeStored)
  const late = of(20)
  assert.ok(late.kind === 'again' && late.maybeStored && !late.needsLeader)
})

test('sequences that the broker does not know need another epoch', () => {
  for (const code of [45, 47, 59, 90]) assert.equal(of(code).kind, 'renumber')
})

test('refusals keep their meaning, and say whether one record is at fault', () => {
  const codeOf = (code: number) => {
    const outcome = of(code, 'because')
    assert.ok(outcome.kind === 'refused')
    return [outcome.error.code, outcome.alone]
  }
  assert.deepEqual(codeOf(10), ['event_too_large', true])
  assert.deepEqual(codeOf(18), ['event_too_large', true])
  assert.deepEqual(codeOf(87), ['invalid_event', true])
  assert.deepEqual(codeOf(29), ['permission_denied', false])
  assert.deepEqual(codeOf(4711), ['broker_unavailable', false])
})
