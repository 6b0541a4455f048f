import assert from 'node:assert/strict'
import { test } from 'node:test'
import { count, duration, iso, rate, share } from './format.ts'

test('thousands are set apart by a narrow space that does not break', () => {
  assert.deepEqual(
    [count(0), count(999), count(1204), count(1234567)],
    ['0', '999', '1\u202f204', '1\u202f234\u202f567'],
  )
})

test('a rate has one decimal below ten', () => {
  assert.deepEqual(
    [rate(0.96), rate(2.41), rate(9.94), rate(9.96), rate(1204)],
    ['1', '2.4', '9.9', '10', '1\u202f204'],
  )
})

test('a share is never 0 for something and never 100 for not all', () => {
  assert.deepEqual(
    [share(0, 10), share(1, 1000), share(22, 100), share(999, 1000), share(10, 10), share(1, 0)],
    ['0', '1', '22', '99', '100', '0'],
  )
})

test('a duration has three digits and its unit', () => {
  assert.deepEqual([0, 0.004, 0.42, 3.14, 12.4, 999.4, 1234, 59_990, 125_000].map(duration), [
    '0 ms',
    '0 ms',
    '0.42 ms',
    '3.1 ms',
    '12 ms',
    '999 ms',
    '1.23 s',
    '59.99 s',
    '2 min 5 s',
  ])
})

test('a time beyond all calendars is still a time', () => {
  assert.equal(iso(Number.MAX_VALUE), '+275760-09-13T00:00:00.000Z')
})
