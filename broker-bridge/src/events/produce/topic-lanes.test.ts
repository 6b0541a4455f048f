import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionOf } from './topic-lanes.ts'

test('keys go where org.apache.kafka.common.utils.Utils.murmur2 sends them', () => {
  const of = (key: string, partitions: number) => partitionOf(new TextEncoder().encode(key), partitions)
  // From Kafka's UtilsTest: 21 → -973932308, foobar → -790332482, a-little-bit-long-string → -985981536.
  assert.equal(of('21', 1_000_003), (-973_932_308 & 0x7fffffff) % 1_000_003)
  assert.equal(of('foobar', 7), (-790_332_482 & 0x7fffffff) % 7)
  assert.equal(of('a-little-bit-long-string', 11), (-985_981_536 & 0x7fffffff) % 11)
})
