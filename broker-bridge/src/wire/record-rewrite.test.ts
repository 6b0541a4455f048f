import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32c } from './crc32c.ts'
import { type Batch, batches, countRecords, isIntact } from './record-batch.ts'
import { addHeader, patchBatch } from './record-rewrite.ts'
import { visitRecords } from './records.ts'
import { Writer } from './writer.ts'

interface Record {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [key: string, value: Uint8Array | null])[]
}

/** A v2 batch, written out by hand. */
function batchOf(records: readonly Record[], attributes = 0): Buffer {
  const body = new Writer()
  for (const [index, { key, value, headers }] of records.entries()) {
    const record = new Writer()
    const sized = (bytes: Uint8Array | null) => {
      record.varint(bytes?.length ?? -1)
      if (bytes !== null) record.raw(bytes)
    }
    record.int8(0)
    record.varlong(BigInt(index) * 1_000_000_000_000n)
    record.varint(index)
    sized(key)
    sized(value)
    record.varint(headers.length)
    for (const [name, bytes] of headers) {
      sized(Buffer.from(name))
      sized(bytes)
    }
    body.varint(record.bytes().length)
    body.raw(record.bytes())
  }
  const batch = Buffer.concat([Buffer.alloc(61), body.bytes()])
  batch.writeBigInt64BE(1_000n, 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch[16] = 2
  batch.writeInt16BE(attributes, 21)
  batch.writeInt32BE(records.length - 1, 23)
  batch.writeBigInt64BE(77n, 43)
  batch.writeInt32BE(records.length, 57)
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}

const KEY = Buffer.from('traceparent')
const VALUE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const addition = {
  allocate: (bytes: number) => Buffer.allocUnsafe(bytes),
  key: KEY,
  valueBytes: VALUE.length,
  writeValue: (target: Buffer, at: number) => {
    target.write(VALUE, at, 'latin1')
  },
}
const only = (buffer: Buffer): Batch => {
  const [batch, ...others] = batches(buffer, 0, buffer.length)
  assert.ok(batch !== undefined && others.length === 0)
  return batch
}

const anyBytes = fc.option(fc.uint8Array({ maxLength: 200 }))
const anyRecord: fc.Arbitrary<Record> = fc.record({
  key: anyBytes,
  value: anyBytes,
  headers: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'traceparent', 'x'.repeat(70)), anyBytes), {
    maxLength: 70,
  }),
})

test('a header is added to the records that lack it, and nothing else changes', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), (records) => {
      const buffer = batchOf(records)
      const longer = addHeader(buffer, only(buffer), addition)
      assert.ok(longer)
      assert.ok(isIntact(longer, only(longer)))
      const expected = records.map((record) => {
        const has = record.headers.some(([name]) => name === 'traceparent')
        return has
          ? record
          : { ...record, headers: [...record.headers, ['traceparent', Buffer.from(VALUE)] as const] }
      })
      assert.equal(longer.toString('hex'), batchOf(expected).toString('hex'))
    }),
    { numRuns: 300 },
  )
})

test('bytes are patched in place and the checksum follows; a batch that came damaged stays damaged', () => {
  const record = {
    key: null,
    value: Buffer.alloc(5_000),
    headers: [['traceparent', Buffer.from(VALUE)] as const],
  }
  for (const damage of [0, 1]) {
    const buffer = batchOf([record])
    const batch = only(buffer)
    buffer.writeUInt8((buffer[batch.to - 100] ?? 0) ^ damage, batch.to - 100)
    let valueAt = -1
    visitRecords(buffer, batch, KEY, (place) => {
      valueAt = place.valueAt
    })
    patchBatch(buffer, batch, valueAt + 36, Buffer.from('1111111111111111'))
    assert.equal(
      buffer.toString('latin1', valueAt, valueAt + 55),
      VALUE.replace('b7ad6b7169203331', '1'.repeat(16)),
    )
    assert.equal(isIntact(buffer, batch), damage === 0)
  }
})

test('a count that the batch cannot hold is neither believed nor allocated for', () => {
  const buffer = batchOf([{ key: null, value: null, headers: [] }])
  buffer.writeInt32BE(0x7fff_ffff, 57)
  assert.equal(addHeader(buffer, only(buffer), addition), undefined)
  assert.equal(
    visitRecords(buffer, only(buffer), KEY, () => {}),
    false,
  )
})

test('old formats and the cut-off end of a fetch are passed over', () => {
  const whole = batchOf([{ key: null, value: Buffer.from('x'), headers: [] }])
  const old = Buffer.alloc(30)
  old.writeInt32BE(18, 8)
  old[16] = 1
  const buffer = Buffer.concat([old, whole, whole.subarray(0, 40)])
  assert.equal(countRecords(buffer, 0, buffer.length), 1)
  assert.deepEqual(
    [...batches(buffer, 0, buffer.length)].map(({ from, to }) => [from, to]),
    [[30, 30 + whole.length]],
  )
})

test('a batch whose length does not lead forward ends the walk', () => {
  const buffer = batchOf([])
  for (const length of [0, -1, -12, -2_000_000_000, 0x7fff_ffff]) {
    buffer.writeInt32BE(length, 8)
    assert.equal(countRecords(buffer, 0, buffer.length), 0)
    assert.deepEqual([...batches(buffer, 0, buffer.length)], [])
  }
})

test('compressed, control and transactional batches are told apart', () => {
  assert.equal(only(batchOf([], 0x02)).isCompressed, true)
  assert.equal(only(batchOf([], 0x20)).isControl, true)
  assert.equal(only(batchOf([], 0x10)).transactionalProducer, 77n)
  assert.equal(only(batchOf([], 0)).transactionalProducer, undefined)
})
