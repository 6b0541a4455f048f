import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headOf } from '../outbound/request-head.test-support.ts'
import { callerOf } from './caller.ts'

test('a caller without a name is its address, of IPv6 the network that one customer has', () => {
  for (const [address, caller] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ] as const)
    assert.equal(callerOf(headOf({}), address), caller)
})

test('a token or a certificate names the caller, wherever it calls from', () => {
  const head = headOf({
    peer: { id: undefined, subject: { kind: 'certificate', names: ['DNS:a.example'] } },
  })
  assert.equal(callerOf(head, '192.0.2.1'), 'certificate DNS:a.example')
  head.notes.token = { providers: [], claims: { iss: 'https://issuer.example', sub: 'user' } }
  assert.equal(callerOf(head, '192.0.2.1'), 'token https://issuer.example user')
})
