import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from './backoff.ts'

test('the range doubles from the base to the maximum and stays there', () => {
  const widest = [0, 1, 2, 5, 6, 1e9].map((attempt) => backoffMs({ baseMs: 100, maxMs: 5_000 }, attempt, 1))
  assert.deepEqual(widest, [100, 200, 400, 3_200, 5_000, 5_000])
})

test('the delay is anything from nothing up to the range', () => {
  assert.equal(backoffMs({ baseMs: 100, maxMs: 5_000 }, 3, 0), 0)
  assert.equal(backoffMs({ baseMs: 100, maxMs: 5_000 }, 3, 0.5), 400)
})
