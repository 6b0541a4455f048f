import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMPRESSIONS } from '@weft/schemas/snapshot'
import { compressionOf, packLike, unpack, unpackedBatch } from './compression.ts'
import { readBatch } from './wire/read-batch.ts'
import { batches, isIntact } from './wire/record-batch.ts'
import { visitRecords } from './wire/records.ts'
import { writeBatch } from './wire/write-batch.ts'

const packings = COMPRESSIONS.filter((name) => name !== 'none')
const values = ['one', 'two', 'x'.repeat(10_000)]

function batchOf(name: (typeof packings)[number]): Buffer {
  const compression = compressionOf(name)
  assert.ok(compression)
  const records = values.map((value) => ({ value, headers: [] }))
  return writeBatch(records, {
    producerId: 77n,
    producerEpoch: 3,
    baseSequence: 5,
    nowMs: 1_700_000_000_000,
    compression,
  })
}
const whole = (batch: Buffer) => ({ from: 0, to: batch.length })
const valuesIn = (batch: Buffer) => readBatch(batch, whole(batch)).map(({ value }) => String(value))

for (const name of packings) {
  test(`${name}: unpacked it is a whole batch, packed again it is the same in fewer bytes`, () => {
    const packed = batchOf(name)
    const unpacked = unpack(packed, whole(packed))
    assert.deepEqual(valuesIn(unpacked), values)
    assert.ok(isIntact(unpacked, whole(unpacked)))
    const [plain] = batches(unpacked, 0, unpacked.length)
    assert.equal(plain?.isCompressed, false)

    const again = packLike(packed, { from: 0 }, unpacked)
    assert.ok(isIntact(again, whole(again)) && again.length < unpacked.length)
    assert.equal(again.readInt16BE(21), packed.readInt16BE(21))
    assert.deepEqual(valuesIn(unpack(again, whole(again))), values)
    // Producer, sequence and times: what the broker tells duplicates by.
    assert.equal(again.toString('hex', 23, 61), packed.toString('hex', 23, 61))
  })

  test(`${name}: what cannot be unpacked is undefined, or no records`, () => {
    const packed = batchOf(name)
    packed.fill(0xff, 61)
    const cut = batchOf(name).subarray(0, 70)
    for (const damaged of [packed, cut]) {
      const unpacked = unpackedBatch(damaged, whole(damaged))
      // The library's lz4 passes over what is no frame.
      const isRead =
        unpacked !== undefined && visitRecords(unpacked.bytes, unpacked.batch, Buffer.from('k'), () => {})
      assert.equal(isRead, false)
    }
  })
}

test('a packing that nobody knows is undefined', () => {
  const packed = batchOf('gzip')
  for (const bits of [0, 5, 6, 7]) {
    packed.writeInt16BE(bits, 21)
    assert.equal(unpackedBatch(packed, whole(packed)), undefined)
  }
})

test('what would become too large is undefined', () => {
  const zeros = compressionOf('zstd')?.compress(Buffer.alloc(65 * 1024 * 1024)) ?? Buffer.alloc(0)
  const packed = Buffer.concat([batchOf('zstd').subarray(0, 61), zeros])
  assert.equal(unpackedBatch(packed, whole(packed)), undefined)
})
