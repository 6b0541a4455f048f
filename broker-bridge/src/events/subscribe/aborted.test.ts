import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordsBatch } from '@platformatic/kafka'
import { committedBatches } from './aborted.ts'

const TRANSACTIONAL = 16
const CONTROL = 32
const batch = (
  firstOffset: bigint,
  producerId: bigint,
  attributes = TRANSACTIONAL,
  key: Buffer | null = null,
): RecordsBatch => ({
  firstOffset,
  producerId,
  attributes,
  lastOffsetDelta: 0,
  length: 0,
  partitionLeaderEpoch: 0,
  magic: 2,
  crc: 0,
  firstTimestamp: 0n,
  maxTimestamp: 0n,
  producerEpoch: 0,
  firstSequence: 0,
  records: [{ length: 0, attributes: 0, timestampDelta: 0n, offsetDelta: 0, key, value: null, headers: [] }],
})
const marker = (offset: bigint, producerId: bigint, type: 0 | 1) =>
  batch(offset, producerId, TRANSACTIONAL | CONTROL, Buffer.from([0, 0, 0, type]))
const offsets = (batches: readonly RecordsBatch[]) => batches.map(({ firstOffset }) => Number(firstOffset))

test('control records are never delivered', () => {
  assert.deepEqual(offsets(committedBatches([batch(0n, 1n), marker(1n, 1n, 1)], null)), [0])
})

test('a producer that aborts twice in one fetch loses both transactions and keeps what lies between', () => {
  const log = [
    batch(0n, 1n),
    marker(1n, 1n, 0),
    batch(2n, 1n),
    marker(3n, 1n, 1),
    batch(4n, 1n),
    marker(5n, 1n, 0),
    batch(6n, 1n),
  ]
  const aborted = [
    { producerId: 1n, firstOffset: 0n },
    { producerId: 1n, firstOffset: 4n },
  ]
  assert.deepEqual(offsets(committedBatches(log, aborted)), [2, 6])
})

test('an aborted transaction whose marker comes with a later fetch is dropped already', () => {
  const log = [batch(0n, 1n), batch(1n, 2n), batch(2n, -1n, 0)]
  assert.deepEqual(offsets(committedBatches(log, [{ producerId: 1n, firstOffset: 0n }])), [1, 2])
})
