import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { RouteSession } from '@weft/schemas/snapshot-routes'
import { ANSWERED, type Service } from '../../transport/exchange.ts'
import { endpointOf } from '../balance/endpoints.test-support.ts'
import type { LiveEndpoint } from '../endpoint.ts'
import { headOf } from '../request-head.test-support.ts'
import { recordedCall } from './recorded.test-support.ts'
import { persistSessions, type SessionBackend } from './session.ts'

const COOKIE: RouteSession = {
  type: 'Cookie',
  name: 'cart',
  path: '/shop',
  isPermanent: false,
  maxAgeSeconds: 0,
}
const HEADER: RouteSession = { ...COOKIE, type: 'Header', name: 'x-session' }

/** Two backends of two endpoints; a backend answers from the endpoint that is pinned, else from its first. */
function backends(): readonly SessionBackend[] {
  return ['default/v1', 'default/v2'].map((name) => {
    const endpoints = [endpointOf('a'), endpointOf('b')]
    const service: Service = {
      call(head, response) {
        head.notes.tried = head.notes.pinned ?? endpoints[0]
        const at = endpoints.indexOf(head.notes.tried as LiveEndpoint)
        response.onHead({ status: 200, fields: ['by', `${name} ${at}`], length: 0 })
        response.onEnd(undefined)
        return ANSWERED
      },
    }
    return { name, service, endpoints }
  })
}

function sessions(settings: RouteSession, isSecure = false) {
  const all = backends()
  const first = all[0]?.service as Service
  const service = persistSessions(first, { settings, backends: all, isSecure })
  return (fields: string[] = []) => recordedCall(service, headOf({ fields })).fields
}

const tokenOf = (setCookie: string | undefined): string => /=([^;]*)/.exec(setCookie ?? '')?.[1] ?? ''

describe('session persistence', () => {
  it('begins with a cookie for the endpoint that answered, and leads back to it without another', () => {
    const ask = sessions(COOKIE)
    const begun = ask()
    assert.deepEqual(begun.slice(0, 3), ['by', 'default/v1 0', 'set-cookie'])
    assert.match(begun[3] ?? '', /^cart=[\w-]{22}\.[0-9a-z]+; Path=\/shop; HttpOnly; SameSite=Strict$/)

    assert.deepEqual(ask(['cookie', `a=b; cart=${tokenOf(begun[3])}; c=d`]), ['by', 'default/v1 0'])
  })

  it('is kept in a header that the client sends back', () => {
    const ask = sessions(HEADER)
    const [, , name = '', value = ''] = ask()
    assert.equal(name, 'x-session')
    assert.deepEqual(ask([name, value]), ['by', 'default/v1 0'])
  })

  it('goes to its backend and not to the one that the weights would choose, after a new snapshot too', () => {
    const options = { settings: HEADER, isSecure: false }
    const before = backends()
    const [, second] = before
    const begun = recordedCall(
      persistSessions(second?.service as Service, { ...options, backends: before }),
      headOf({}),
    ).fields
    assert.equal(begun[1], 'default/v2 0')

    const after = backends()
    const service = persistSessions(after[0]?.service as Service, { ...options, backends: after })

    assert.deepEqual(recordedCall(service, headOf({ fields: begun.slice(2) })).fields, ['by', 'default/v2 0'])
  })

  it('leads nowhere but to the endpoints of its backends, whatever a client makes up', () => {
    const ask = sessions(HEADER)
    const own = ask()[3] ?? ''
    const forged = [
      '',
      'x',
      '10.0.0.9:80',
      'MTAuMC4wLjk6ODA.1',
      own.replace(/^./, '!'),
      `${'A'.repeat(22)}.1`,
      `${own} `,
      `${own}.x`,
      '__proto__',
      'a'.repeat(100_000),
    ]
    for (const value of forged) {
      const [, by, name] = ask(['x-session', value])
      assert.deepEqual([by, name], ['default/v1 0', 'x-session'], value.slice(0, 40))
    }
  })

  it('ends after its lifetime, for a cookie that browsers keep and for one that they do not', (t: TestContext) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000_000_000 })
    for (const isPermanent of [true, false]) {
      const ask = sessions({ ...COOKIE, isPermanent, maxAgeSeconds: 60 })
      const begun = ask()[3] ?? ''
      assert.equal(begun.includes('; Max-Age=60'), isPermanent)
      const cookie = ['cookie', `cart=${tokenOf(begun)}`]
      t.mock.timers.tick(59_000)
      assert.equal(ask([...cookie]).length, 2)
      t.mock.timers.tick(1_000)
      assert.equal(ask([...cookie])[2], 'set-cookie')
    }
  })

  it('cannot be made to last by a beginning in the future', () => {
    const ask = sessions({ ...HEADER, maxAgeSeconds: 60 })
    const [digest = ''] = (ask()[3] ?? '').split('.')
    assert.equal(ask(['x-session', `${digest}.zzzzzzzz`])[2], 'x-session')
  })

  it('is kept in a cookie that goes over TLS only where that is how it came', () => {
    assert.match(sessions(COOKIE, true)()[3] ?? '', /; Secure;/)
  })
})
