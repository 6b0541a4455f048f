import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionOf, tellStored } from './batch.ts'
import type { StoredAt } from './record.ts'

const record = (key?: string) => ({
  ...(key !== undefined && { key: Buffer.from(key) }),
  value: null,
  headers: [],
})

test('keys go where org.apache.kafka.common.utils.Utils.murmur2 sends them', () => {
  // From Kafka's UtilsTest: 21 → -973932308, foobar → -790332482, a-little-bit-long-string → -985981536.
  assert.equal(partitionOf(record('21'), 1_000_003, 0), (-973_932_308 & 0x7fffffff) % 1_000_003)
  assert.equal(partitionOf(record('foobar'), 7, 0), (-790_332_482 & 0x7fffffff) % 7)
  assert.equal(partitionOf(record('a-little-bit-long-string'), 11, 0), (-985_981_536 & 0x7fffffff) % 11)
  assert.equal(partitionOf(record(), 4, 6), 2)
})

test('each record of a partition gets the next offset; those of a partition that was not stored hear nothing', () => {
  const told: (StoredAt & { readonly at: number })[] = []
  const batch = [0, 1, 0, 2, 0].map((partition, at) => ({
    record: record(),
    partition,
    onStored: (place: StoredAt) => told.push({ at, ...place }),
  }))
  tellStored(
    batch,
    new Map([
      [0, 7n],
      [2, 0n],
    ]),
  )
  assert.deepEqual(told, [
    { at: 0, partition: 0, offset: 7n },
    { at: 2, partition: 0, offset: 8n },
    { at: 3, partition: 2, offset: 0n },
    { at: 4, partition: 0, offset: 9n },
  ])
})
