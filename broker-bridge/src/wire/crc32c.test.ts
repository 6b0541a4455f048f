import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32c, crc32cAfterChange, crc32cByTables } from './crc32c.ts'

test('the checksums of RFC 3720, appendix B.4', () => {
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
  assert.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i))), 0x46dd794e)
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
})

test('after a change in the middle the checksum is that of the changed bytes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3_000 }),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.uint8Array({ maxLength: 3_000 }),
      fc.integer({ min: 0, max: 255 }),
      (head, before, tail, flip) => {
        const after = before.map((byte) => byte ^ flip)
        const crc = crc32c(Buffer.concat([head, before, tail]))
        const changed = crc32cAfterChange(crc, { before, after, bytesBehind: tail.length })
        assert.equal(changed, crc32c(Buffer.concat([head, after, tail])))
      },
    ),
  )
})

test('with the library and without it the checksum is the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3_000 }), fc.nat(600), (bytes, from) => {
      assert.equal(
        crc32c(bytes, Math.min(from, bytes.length)),
        crc32cByTables(bytes, Math.min(from, bytes.length)),
      )
    }),
  )
})
