import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSpiffeId, spiffeId } from './spiffe.ts'

test('an id is read back as it was written', () => {
  const id = spiffeId('weft.local', 'default', 'order-service')
  assert.equal(id.uri, 'spiffe://weft.local/ns/default/sa/order-service')
  assert.deepEqual(parseSpiffeId(id.uri), id)
})

for (const uri of [
  '',
  'https://weft.local/ns/a/sa/b',
  'spiffe://weft.local/ns/a',
  'spiffe://weft.local/ns/a/sa/b/c',
  'spiffe://weft.local/ns/a/sa/b?x',
  'spiffe://Weft.local/ns/a/sa/b',
  'spiffe://weft.local:8443/ns/a/sa/b',
  'spiffe://user@weft.local/ns/a/sa/b',
  'spiffe://weft.local/ns/../sa/b',
  'spiffe://weft.local/ns//sa/b',
  'spiffe://weft.local/ns/a/sa/b%2f',
  'spiffe://weft.local/ns/a/sa/b\n',
]) {
  test(`${JSON.stringify(uri)} is no id of ours`, () => assert.equal(parseSpiffeId(uri), undefined))
}

test('parts that would need escaping are refused', () => {
  assert.throws(() => spiffeId('weft.local', 'a/b', 'c'), /not a namespace: "a\/b"/)
  assert.throws(() => spiffeId('WEFT', 'a', 'c'), /not a trust domain/)
  assert.throws(() => spiffeId('weft.local', 'a', ''), /not a service account/)
})
