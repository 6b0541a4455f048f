import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spiffeId } from '../spiffe.ts'
import { decide, subjectOf } from './decide.ts'
import type { NamedPolicy, ProvenToken, SourceMatch } from './types.ts'

const token = (claims: ProvenToken['claims']): ProvenToken => ({ providers: ['default/accounts'], claims })
const admin = token({ role: 'admin' })
const client = spiffeId('weft.local', 'default', 'client')
const adminsOnly = { jwt: { provider: 'accounts', claims: { role: ['admin'] } } } as const

function isAllowed(from: SourceMatch, carried?: ProvenToken, id?: typeof client): boolean {
  const policy: NamedPolicy = {
    name: 'p',
    namespace: 'default',
    target: { service: 'shop' },
    action: 'allow',
    mode: 'enforce',
    rules: [{ from: [from] }],
  }
  const index = { trustDomain: 'weft.local', defaultAction: 'deny', policies: [policy] } as const
  const action = {
    protocol: 'http',
    service: 'shop',
    namespace: 'default',
    method: 'GET',
    path: '/',
  } as const
  return decide(index, subjectOf(id, carried), action).allowed
}

test('a rule that names a token alone is for whoever carries it, and for nobody without', () => {
  assert.equal(isAllowed(adminsOnly, admin), true)
  assert.equal(isAllowed(adminsOnly, admin, client), true)
  assert.equal(isAllowed(adminsOnly), false)
  assert.equal(isAllowed(adminsOnly, undefined, client), false)
})

test('a rule that names caller and token needs both', () => {
  const both = { ...adminsOnly, serviceAccount: 'client' }
  assert.equal(isAllowed(both, admin, client), true)
  assert.equal(isAllowed(both, admin), false)
  assert.equal(isAllowed(both, undefined, client), false)
  assert.equal(isAllowed({ ...both, serviceAccount: 'other' }, admin, client), false)
})

test('a valid token takes no right away and gives none that is not written down', () => {
  assert.equal(isAllowed({ anonymous: true }, admin), true)
  assert.equal(isAllowed({ serviceAccount: 'client' }, admin, client), true)
  assert.equal(isAllowed({ serviceAccount: 'client' }, admin), false)
})

test('the provider is the one of the namespace of the policy', () => {
  const elsewhere = { ...admin, providers: ['other/accounts'] }
  assert.equal(isAllowed(adminsOnly, elsewhere), false)
  assert.equal(isAllowed({ jwt: { provider: 'accounts' } }, token({})), true)
})

test('every claim that is named must have one of its values', () => {
  const from = { jwt: { provider: 'accounts', claims: { role: ['admin', 'owner'], team: ['blue*'] } } }
  assert.equal(isAllowed(from, token({ role: 'owner', team: 'blue-2' })), true)
  assert.equal(isAllowed(from, token({ role: 'owner', team: 'red' })), false)
  assert.equal(isAllowed(from, token({ role: 'owner' })), false)
})

test('claims may be lists, numbers, words of a scope, and members of objects', () => {
  const has = (name: string, value: string, claims: ProvenToken['claims']) =>
    isAllowed({ jwt: { provider: 'accounts', claims: { [name]: [value] } } }, token(claims))
  assert.equal(has('groups', 'b', { groups: ['a', 'b'] }), true)
  assert.equal(has('level', '3', { level: 3 }), true)
  assert.equal(has('email_verified', 'true', { email_verified: true }), true)
  assert.equal(has('scope', 'write', { scope: 'read write' }), true)
  assert.equal(has('name', 'write', { name: 'read write' }), false)
  assert.equal(has('realm_access.roles', 'admin', { realm_access: { roles: ['admin'] } }), true)
  assert.equal(has('https://shop.example/roles', 'admin', { 'https://shop.example/roles': ['admin'] }), true)
})

test('what is no text matches nothing, not even a star', () => {
  const anything = { jwt: { provider: 'accounts', claims: { role: ['*'] } } }
  for (const role of [null, undefined, {}, [], [{}], [null]])
    assert.equal(isAllowed(anything, token({ role })), false)
  assert.equal(isAllowed({ jwt: { provider: 'accounts', claims: { constructor: ['*'] } } }, token({})), false)
})
