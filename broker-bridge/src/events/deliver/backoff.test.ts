import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs, retryAfterMs } from './backoff.ts'

const settings = { backoffBaseMs: 100, backoffMaxMs: 1_000 }

test('the ceiling doubles up to the maximum, and any wait below it may come', () => {
  const highest = [1, 2, 3, 4, 5, 1_000].map((attempt) => backoffMs(settings, attempt, undefined, () => 1))
  assert.deepEqual(highest, [100, 200, 400, 800, 1_000, 1_000])
  assert.equal(
    backoffMs(settings, 5, undefined, () => 0),
    0,
  )
})

test('what the app asks for is the least, up to five minutes', () => {
  assert.equal(
    backoffMs(settings, 1, 500, () => 0),
    500,
  )
  assert.equal(
    backoffMs(settings, 1, 60_000, () => 0),
    60_000,
  )
  assert.equal(
    backoffMs(settings, 1, 1_000_000_000, () => 0),
    300_000,
  )
})

test('Retry-After is seconds or a date; anything else says nothing', () => {
  const now = Date.parse('2026-11-21T10:00:00Z')
  assert.equal(retryAfterMs('3', now), 3_000)
  assert.equal(retryAfterMs('Sat, 21 Nov 2026 10:00:05 GMT', now), 5_000)
  assert.equal(retryAfterMs('Sat, 21 Nov 2026 09:00:00 GMT', now), 0)
  for (const value of [undefined, '', 'soon', '-1', '1.5e300x'])
    assert.equal(retryAfterMs(value, now), undefined)
})
