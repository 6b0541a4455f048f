import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CorsSettings } from '@weft/schemas/snapshot-routes'
import { headOf } from '../request-head.test-support.ts'
import { cors } from './cors.ts'
import { RecordedService, recordedCall } from './recorded.test-support.ts'

const SETTINGS: CorsSettings = {
  allowOrigins: ['https://*.shop.example', 'https://one.example:8443'],
  allowMethods: ['PUT', 'DELETE'],
  allowHeaders: ['x-tenant'],
  exposeHeaders: ['x-total'],
  allowCredentials: true,
  maxAgeSeconds: 600,
}
const ANY: CorsSettings = {
  allowOrigins: ['*'],
  allowMethods: ['*'],
  allowHeaders: ['*'],
  exposeHeaders: [],
  allowCredentials: false,
  maxAgeSeconds: 5,
}

function preflight(settings: CorsSettings, origin: string, more: readonly string[] = []) {
  const inner = new RecordedService()
  const fields = ['origin', origin, 'access-control-request-method', 'PUT', ...more]
  const answer = recordedCall(cors(inner, settings), headOf({ method: 'OPTIONS', fields }))
  assert.equal(inner.heads.length, 0)
  return answer
}

describe('CORS', () => {
  it('answers a preflight of an origin that is allowed', () => {
    const { status, fields } = preflight(SETTINGS, 'https://a.b.shop.example')
    assert.equal(status, 204)
    assert.deepEqual(fields, [
      'access-control-allow-origin',
      'https://a.b.shop.example',
      'vary',
      'origin',
      'access-control-allow-credentials',
      'true',
      'access-control-allow-methods',
      'PUT, DELETE',
      'access-control-allow-headers',
      'x-tenant',
      'access-control-max-age',
      '600',
    ])
  })

  it('says nothing to an origin that is not allowed, however it is spelled', () => {
    for (const origin of [
      'https://shop.example',
      'http://a.shop.example',
      'https://a.shop.example.evil',
      'https://evil/.shop.example',
      'https://one.example',
      'https://a.shop.example:444',
      'null',
    ]) {
      const { status, fields } = preflight(SETTINGS, origin)
      assert.deepEqual([status, fields], [204, ['vary', 'origin']], origin)
    }
  })

  it('stands for any with "*", and for what was asked where credentials go along', () => {
    assert.ok(preflight(ANY, 'https://x.example').fields.join(' ').includes('access-control-allow-methods *'))
    const asked = preflight({ ...ANY, allowCredentials: true }, 'https://x.example', [
      'access-control-request-headers',
      'x-a, x-b',
    ]).fields.join(' ')
    assert.ok(asked.includes('access-control-allow-methods PUT access-control-allow-headers x-a, x-b'))
  })

  it('replaces what the app says in other answers, and only for requests that name an origin', () => {
    const service = cors(new RecordedService(['access-control-allow-origin', '*', 'a', 'b']), SETTINGS)
    const named = recordedCall(service, headOf({ fields: ['origin', 'https://a.shop.example'] }))
    assert.deepEqual(named.fields, [
      'a',
      'b',
      'access-control-allow-origin',
      'https://a.shop.example',
      'vary',
      'origin',
      'access-control-allow-credentials',
      'true',
      'access-control-expose-headers',
      'x-total',
    ])
    const strange = recordedCall(service, headOf({ fields: ['origin', 'https://evil.example'] }))
    assert.deepEqual(strange.fields, ['a', 'b'])
    assert.deepEqual(recordedCall(service, headOf({})).fields, ['access-control-allow-origin', '*', 'a', 'b'])
  })

  it('hands an OPTIONS on that is no preflight', () => {
    const inner = new RecordedService()
    recordedCall(cors(inner, ANY), headOf({ method: 'OPTIONS', fields: ['origin', 'https://a'] }))
    assert.equal(inner.heads.length, 1)
  })
})
