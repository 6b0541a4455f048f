import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReadRecord } from './record.ts'
import { fromRetryLater, toRetryLater } from './retry-later.ts'

const record: ReadRecord = {
  topic: 'orders',
  partition: 2,
  offset: 9_007_199_254_740_993n,
  timestamp: 1_700_000_000_000n,
  key: Buffer.from([0, 255]),
  value: null,
  headers: [['tenant', Buffer.from('blue')]],
}
const history = { attempts: 4, firstAttempt: new Date('2026-11-26T10:00:00.000Z') }

/** As it is read from the topic in which it waits. */
function waiting(headers = toRetryLater(record, history).headers): ReadRecord {
  return {
    ...record,
    topic: 'orders.billing.retry.1m',
    partition: 0,
    offset: 7n,
    timestamp: 1_800_000_000_000n,
    headers: headers.map(([name, value]) => [name, Buffer.from(value)]),
  }
}

test('what waits comes back as it was, with what became of it', () => {
  assert.deepEqual(fromRetryLater(waiting()), { record, history })
})

test('what waits again tells of its last time only', () => {
  const { record: back } = fromRetryLater(waiting())
  const again = fromRetryLater(waiting(toRetryLater(back, { ...history, attempts: 5 }).headers))
  assert.deepEqual(again, { record, history: { ...history, attempts: 5 } })
})

test('what was dropped says so, and is nothing more', () => {
  const { history: told } = fromRetryLater(waiting([['weft-retry-dropped', 'true']]))
  assert.equal(told.isDropped, true)
})

test('headers that are none of ours, or damaged, lose nothing of the record', () => {
  for (const headers of [
    [],
    [['weft-retry-topic', 'orders']],
    [
      ['weft-retry-topic', 'orders'],
      ['weft-retry-partition', '-1'],
      ['weft-retry-offset', '9'.repeat(40)],
      ['weft-retry-timestamp', ''],
      ['weft-retry-first-attempt', 'yesterday'],
      ['weft-retry-attempts', 'many'],
    ],
  ] as const) {
    const read = waiting(headers.map(([name, value]) => [name, value]))
    const { record: taken, history: told } = fromRetryLater(read)
    assert.equal(taken, read)
    assert.equal(told.attempts, 0)
    assert.ok(Math.abs(told.firstAttempt.getTime() - Date.now()) < 60_000)
  }
})
