import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateResource } from '../validate.ts'

const PUBLIC_KEY = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: '1' }
const SPEC = {
  issuer: 'https://accounts.example',
  audiences: ['shop'],
  jwks: { uri: 'https://accounts.example/keys' },
}
const provider = (spec: object) => ({
  apiVersion: 'mesh.weft.dev/v1',
  kind: 'JwtProvider',
  metadata: { name: 'accounts' },
  spec: { ...SPEC, ...spec },
})
const faultsOf = (spec: object): readonly string[] => {
  const result = validateResource(provider(spec))
  return 'faults' in result ? result.faults.map(({ message }) => message) : []
}

test('a provider is completed with algorithms that nobody else can sign with, and with limits', () => {
  const result = validateResource(provider({}))
  assert.deepEqual('resource' in result && result.resource.spec, {
    ...SPEC,
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    clockSkewMs: 30_000,
    maxTokenBytes: 8192,
    refreshMs: 600_000,
    maxStaleMs: 86_400_000,
  })
})

test('neither unsigned tokens nor shared secrets can be accepted', () => {
  for (const algorithm of ['none', 'HS256'])
    assert.match(
      faultsOf({ algorithms: [algorithm] })[0] ?? '',
      /spec\.algorithms\[0\]: expected one of "RS256"/,
    )
})

test('a token has to be meant for somebody', () => {
  assert.match(faultsOf({ audiences: [] })[0] ?? '', /spec\.audiences: expected at least one entry/)
})

test('keys come encrypted, or from this very host', () => {
  for (const uri of ['http://127.0.0.1:8080/keys', 'http://localhost/keys', 'https://a.example/keys'])
    assert.deepEqual(faultsOf({ jwks: { uri } }), [])
  for (const uri of ['http://a.example/keys', 'https://user:word@a.example/', 'file:///etc/keys', 'keys'])
    assert.match(faultsOf({ jwks: { uri } })[0] ?? '', /spec\.jwks\.uri: expected an https URL/)
})

test('keys come from one place', () => {
  assert.match(
    faultsOf({ jwks: { uri: 'https://a.example/', file: '/keys' } })[0] ?? '',
    /expected exactly one of uri, inline, file/,
  )
})

test('keys in the resource are public ones', () => {
  const inline = (keys: unknown) => faultsOf({ jwks: { inline: JSON.stringify({ keys }) } })
  assert.deepEqual(inline([PUBLIC_KEY]), [])
  assert.match(
    inline([PUBLIC_KEY, { ...PUBLIC_KEY, d: 'secret' }])[0] ?? '',
    /a public key as keys\[1\], came a secret/,
  )
  assert.match(inline([{ kty: 'oct', k: 'secret' }])[0] ?? '', /a public key as keys\[0\]/)
  assert.match(inline([])[0] ?? '', /a JSON Web Key Set/)
  assert.match(inline([7])[0] ?? '', /a key with a kty as keys\[0\]/)
  assert.match(faultsOf({ jwks: { inline: '{' } })[0] ?? '', /a JSON Web Key Set/)
  assert.match(faultsOf({ jwks: { inline: 'x'.repeat(65_537) } })[0] ?? '', /at most 65536 characters/)
})

test('keys are fetched again before they are given up', () => {
  assert.match(
    faultsOf({ refreshMs: 20_000, maxStaleMs: 10_000 })[0] ?? '',
    /spec\.maxStaleMs: expected refreshMs at most maxStaleMs, came 20000 and 10000/,
  )
})
