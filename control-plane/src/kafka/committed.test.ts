import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { RecordsBatch } from '@platformatic/kafka'
import { Committed } from './committed.ts'

const TRANSACTIONAL = 0x10
const CONTROL = 0x30

function batch(firstOffset: number, attributes: number, producerId: number, key: Buffer): RecordsBatch {
  const record = {
    length: 0,
    attributes: 0,
    timestampDelta: 0n,
    offsetDelta: 0,
    key,
    value: null,
    headers: [],
  }
  return {
    firstOffset: BigInt(firstOffset),
    lastOffsetDelta: 0,
    attributes,
    firstTimestamp: 0n,
    producerId: BigInt(producerId),
    records: [record],
  } as unknown as RecordsBatch
}
const data = (offset: number, producerId: number) =>
  batch(offset, TRANSACTIONAL, producerId, Buffer.from('x'))
const marker = (offset: number, producerId: number, type: number) =>
  batch(offset, CONTROL, producerId, Buffer.from([0, 0, 0, type]))
const [ABORT, COMMIT] = [0, 1]
const offsets = (records: ReturnType<Committed['records']>) => records.map(({ offset }) => Number(offset))

it('leaves out what was aborted, of each producer from where it was until its marker', () => {
  const committed = new Committed()
  const batches = [
    data(0, 7),
    data(1, 8),
    marker(2, 7, ABORT),
    data(3, 7),
    marker(4, 7, COMMIT),
    marker(5, 8, COMMIT),
    batch(6, 0, -1, Buffer.from('x')),
  ]
  assert.deepEqual(offsets(committed.records(batches, [{ producerId: 7n, firstOffset: 0n }])), [1, 3, 6])
})

it('remembers a transaction that ends in a later fetch', () => {
  const committed = new Committed()
  assert.deepEqual(offsets(committed.records([data(0, 7)], [{ producerId: 7n, firstOffset: 0n }])), [])
  assert.deepEqual(offsets(committed.records([data(1, 7), marker(2, 7, ABORT), data(3, 7)], [])), [3])
})
