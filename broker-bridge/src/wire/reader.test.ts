import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import fc from 'fast-check'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

const bytesOf = (write: (writer: Writer) => void): Buffer => {
  const writer = new Writer()
  write(writer)
  return Buffer.from(writer.bytes())
}
const isMalformed = (error: unknown) => error instanceof MeshError && error.code === 'invalid_request'

test('varints are written as the protocol guide shows them', () => {
  const unsigned = (value: number) => bytesOf((writer) => writer.unsignedVarint(value)).toString('hex')
  assert.deepEqual([0, 127, 128, 300, 2 ** 32 - 1].map(unsigned), ['00', '7f', '8001', 'ac02', 'ffffffff0f'])
  const signed = (value: number) => bytesOf((writer) => writer.varint(value)).toString('hex')
  assert.deepEqual([0, -1, 1, -2, 2 ** 31 - 1].map(signed), ['00', '01', '02', '03', 'feffffff0f'])
})

test('a string is an int16 and its bytes, or compact a varint one larger; null is -1, or 0', () => {
  const hex = (value: string | null, flexible: boolean) =>
    bytesOf((writer) => writer.nullableString(value, flexible)).toString('hex')
  assert.equal(hex('é', false), '0002c3a9')
  assert.equal(hex('é', true), '03c3a9')
  assert.equal(hex(null, false), 'ffff')
  assert.equal(hex(null, true), '00')
})

test('what is written is read again', () => {
  fc.assert(
    fc.property(
      fc.record({
        int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        text: fc.option(fc.string({ unit: 'grapheme' })),
        bytes: fc.option(fc.uint8Array()),
        flexible: fc.boolean(),
      }),
      ({ int, long, text, bytes, flexible }) => {
        const written = bytesOf((writer) => {
          writer.int32(int)
          writer.varint(int)
          writer.int64(long)
          writer.varlong(long)
          writer.nullableString(text, flexible)
          writer.nullableBytes(bytes, flexible)
          writer.tags([{ tag: 7, bytes: Buffer.from(bytes ?? []) }])
        })
        const reader = new Reader(written)
        assert.equal(reader.int32(), int)
        assert.equal(reader.varint(), int)
        assert.equal(reader.int64(), long)
        assert.equal(reader.varlong(), long)
        assert.equal(reader.nullableString(flexible), text)
        assert.deepEqual(reader.nullableBytes(flexible), bytes === null ? null : Buffer.from(bytes))
        assert.deepEqual(reader.tags(), [{ tag: 7, bytes: Buffer.from(bytes ?? []) }])
        assert.equal(reader.at, written.length)
      },
    ),
  )
})

const refused: Record<string, readonly [hex: string, read: (reader: Reader) => unknown]> = {
  'an int32 of three bytes': ['000000', (reader) => reader.int32()],
  'a varint of six bytes': ['ffffffffff01', (reader) => reader.unsignedVarint()],
  'a varint beyond 32 bits': ['ffffffff1f', (reader) => reader.unsignedVarint()],
  'a string longer than the message': ['7fff6161', (reader) => reader.string(false)],
  'a null string where none may be': ['ffff', (reader) => reader.string(false)],
  'a string that is not UTF-8': ['0002c328', (reader) => reader.string(false)],
  'a length of -2': ['fffe', (reader) => reader.nullableString(false)],
  'an array of two billion elements': ['7fffffff', (reader) => reader.count(false)],
  'a billion tagged fields': ['80a8d6b907', (reader) => reader.tags()],
}
for (const [what, [hex, read]] of Object.entries(refused)) {
  test(`${what} is refused`, () => {
    assert.throws(() => read(new Reader(Buffer.from(hex, 'hex'))), isMalformed)
  })
}
