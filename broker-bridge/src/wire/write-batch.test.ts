import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { readBatch } from './read-batch.ts'
import { BATCH_HEADER_BYTES, batches, isIntact } from './record-batch.ts'
import { visitRecords } from './records.ts'
import { type RecordToWrite, writeBatch } from './write-batch.ts'

const OPTIONS = { producerId: 7n, producerEpoch: 2, baseSequence: 5, nowMs: 1_700_000_000_000 }
const bytes = (text: string) => new TextEncoder().encode(text)

test('a batch of two records is these bytes', () => {
  const batch = writeBatch(
    [
      { key: bytes('k'), value: bytes('v1'), headers: [['h', bytes('x')]] },
      { value: null, headers: [], timestampMs: OPTIONS.nowMs + 1 },
    ],
    OPTIONS,
  )
  const header = [
    '0000000000000000', // base offset
    '00000046', // length
    'ffffffff', // leader epoch
    '02', // magic
    batch.toString('hex', 17, 21), // checksum
    '0000', // attributes
    '00000001', // last offset delta
    '0000018bcfe56800', // base timestamp
    '0000018bcfe56801', // latest timestamp
    '0000000000000007', // producer id
    '0002', // epoch
    '00000005', // sequence
    '00000002', // records
  ]
  const first = ['1a', '00', '00', '00', '026b', '047631', '02', '0268', '0278']
  const second = ['0c', '00', '02', '02', '01', '01', '00']
  assert.equal(batch.toString('hex'), [...header, ...first, ...second].join(''))
  const [read] = batches(batch, 0, batch.length)
  assert.ok(read !== undefined && isIntact(batch, read))
})

test('whatever goes in is what a reader finds', () => {
  const record = fc.record(
    {
      key: fc.uint8Array(),
      value: fc.option(fc.uint8Array({ maxLength: 300 })),
      headers: fc.array(fc.tuple(fc.string(), fc.uint8Array()), { maxLength: 4 }),
      timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
    },
    { requiredKeys: ['value', 'headers'] },
  )
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 150 }), (records) => {
      const batch = writeBatch(records as RecordToWrite[], OPTIONS)
      const [read] = batches(batch, 0, batch.length)
      assert.ok(read !== undefined && isIntact(batch, read))
      assert.equal(read.to, batch.length)
      assert.equal(
        visitRecords(batch, read, Buffer.alloc(0), () => {}),
        true,
      )
      assert.deepEqual(readBatch(batch, read), records.map(plain))
    }),
  )
})

test('compressed records are the same records, and the header says how they are packed', () => {
  const records = [{ value: bytes('a'.repeat(500)), headers: [] }]
  const packed = writeBatch(records, {
    ...OPTIONS,
    compression: { bits: 1, compress: (raw) => gzipSync(raw) },
  })
  const [read] = batches(packed, 0, packed.length)
  assert.ok(read !== undefined && isIntact(packed, read) && read.isCompressed)
  assert.equal(packed.readInt16BE(21), 1)
  const plainBatch = writeBatch(records, OPTIONS)
  assert.deepEqual(
    gunzipSync(packed.subarray(BATCH_HEADER_BYTES)),
    Buffer.from(plainBatch.subarray(BATCH_HEADER_BYTES)),
  )
})

const plain = ({ key, value, headers, timestampMs }: RecordToWrite) => ({
  key: key === undefined ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: headers.map(([name, data]) => [name, Buffer.from(data)]),
  timestampMs: timestampMs ?? OPTIONS.nowMs,
})
