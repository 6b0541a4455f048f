import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts'

const utf8 = new TextEncoder()
const text = (value: string) => new TextDecoder().decode(decodeHeaderValue(value))

test('space, quote, percent and everything outside of visible ASCII is escaped, the rest is not', () => {
  assert.equal(
    encodeHeaderValue(utf8.encode('Euro € 😀 "50%"')),
    'Euro%20%E2%82%AC%20%F0%9F%98%80%20%2250%25%22',
  )
  assert.equal(
    encodeHeaderValue(utf8.encode("!#$&'()*+,-./:;<=>?@[]^_`{|}~")),
    "!#$&'()*+,-./:;<=>?@[]^_`{|}~",
  )
})

test('any bytes come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const encoded = encodeHeaderValue(bytes)
      assert.match(encoded, /^[\x21-\x7e]*$/)
      assert.deepEqual(decodeHeaderValue(encoded), bytes)
    }),
  )
})

test('escapes are decoded once, in either case', () => {
  assert.equal(text('%E2%82%AC'), '€')
  assert.equal(text('%e2%82%ac'), '€')
  assert.equal(text('%2541'), '%41')
})

test('a percent sign that starts no escape stands for itself', () => {
  assert.equal(text('100%'), '100%')
  assert.equal(text('50%zz'), '50%zz')
  assert.equal(text('%4'), '%4')
})

test('a quoted string is unquoted', () => {
  assert.equal(text('"a \\"b\\" \\\\"'), 'a "b" \\')
  assert.equal(text('"'), '"')
})

test('bare UTF-8, which Node hands over as Latin-1, is understood', () => {
  assert.equal(text(Buffer.from('café').toString('latin1')), 'café')
})
