import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Snapshots } from '../../../test/process/workload.ts'
import { Quotas } from './quotas.ts'

const snapshots = () =>
  new Snapshots({
    topics: [
      { name: 'orders', partitions: 1, maxMessageBytes: 1, quota: { produceBytesPerSecond: 1_000 } },
      { name: 'open', partitions: 1, maxMessageBytes: 1 },
    ],
  })

test('a second of bytes passes at once, what is beyond it is waited for, and what was waited for passes again', () => {
  let now = 0
  const quotas = new Quotas(snapshots(), () => now)
  assert.equal(quotas.charge('orders', 'produce', 1_000), 0)
  assert.equal(quotas.charge('orders', 'produce', 500), 500)
  now = 500
  assert.equal(quotas.charge('orders', 'produce', 1), 1)
  now = 60_000
  assert.equal(quotas.charge('orders', 'produce', 1_000), 0)
})

test('nobody waits for longer than half a minute, and what is owed stays owed', () => {
  let now = 0
  const quotas = new Quotas(snapshots(), () => now)
  assert.equal(quotas.charge('orders', 'produce', 101_000), 30_000)
  now = 30_000
  assert.equal(quotas.charge('orders', 'produce', 0), 30_000)
  now = 100_000
  assert.equal(quotas.charge('orders', 'produce', 0), 0)
})

test('other directions and other topics have no quota, and a new one holds at once', () => {
  const source = snapshots()
  const quotas = new Quotas(source, () => 0)
  assert.equal(quotas.charge('orders', 'consume', 1e9), 0)
  assert.equal(quotas.charge('open', 'produce', 1e9), 0)
  assert.equal(quotas.charge('nowhere', 'produce', 1e9), 0)
  source.change({
    topics: [{ name: 'open', partitions: 1, maxMessageBytes: 1, quota: { produceBytesPerSecond: 10 } }],
  })
  assert.equal(quotas.charge('open', 'produce', 20), 1_000)
})
