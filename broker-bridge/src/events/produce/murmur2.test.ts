import assert from 'node:assert/strict'
import { it } from 'node:test'
import { murmur2 as librarys } from '@platformatic/kafka'
import fc from 'fast-check'
import { murmur2 } from './murmur2.ts'

it("hashes keys of every length as Kafka's clients do", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (key) => {
      assert.equal(murmur2(key), librarys(Buffer.from(key)) | 0)
    }),
    { numRuns: 2_000 },
  )
})
