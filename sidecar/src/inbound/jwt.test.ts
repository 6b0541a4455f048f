import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { NamedPolicy } from '@weft/schemas/policy'
import type { JwksSource, JwtProviderEntry } from '@weft/schemas/snapshot'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { call } from '../outbound/calling.test-support.ts'
import { exchange, type Pair, portOf, startPair } from '../outbound/pair.test-support.ts'

const ISSUER = 'https://accounts.example'
const GOOD: JWTPayload = { iss: ISSUER, aud: 'shop', sub: 'alice', role: 'admin' }

/** An issuer on this host: keys that it publishes, and how often it was asked. */
class Issuer {
  readonly keys: JWK[] = []
  reads = 0
  isDown = false
  readonly #server = createServer((_, answer) => {
    this.reads++
    answer.statusCode = this.isDown ? 503 : 200
    answer.end(JSON.stringify({ keys: this.keys }))
  })

  start(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  get inline(): JwksSource {
    return { inline: JSON.stringify({ keys: this.keys }) }
  }

  get uri(): string {
    return `http://127.0.0.1:${portOf(this.#server)}/keys`
  }

  /** A key pair whose public half is published under this id. */
  async newKey(kid: string): Promise<CryptoKey> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' })
    return privateKey
  }
}

interface Signing {
  readonly claims?: JWTPayload
  readonly kid?: string
  readonly expiresIn?: string | number
}

const sign = (key: CryptoKey | Uint8Array, { claims = GOOD, kid = '1', expiresIn = '5m' }: Signing = {}) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: key instanceof Uint8Array ? 'HS256' : 'ES256', kid })
    .setExpirationTime(expiresIn)
    .sign(key)

const admins: NamedPolicy = {
  name: 'admins',
  namespace: 'default',
  target: { service: 'server' },
  action: 'allow',
  mode: 'enforce',
  rules: [
    { from: [{ jwt: { provider: 'accounts', claims: { role: ['admin'] } } }] },
    { from: [{ anonymous: true }], to: [{ http: { paths: ['/public'] } }] },
  ],
}

const providerOf = (uri: string): JwtProviderEntry => ({
  name: 'accounts',
  namespace: 'default',
  issuer: ISSUER,
  audiences: ['shop'],
  jwks: { uri },
  algorithms: ['ES256'],
  clockSkewMs: 0,
  maxTokenBytes: 1024,
  refreshMs: 600_000,
  maxStaleMs: 86_400_000,
})

describe('a token of an end user', () => {
  const issuer = new Issuer()
  let key: CryptoKey
  let pair: Pair
  const get = (token?: string, path = '/') =>
    call(pair.inbound.port, {
      path,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })

  before(async () => {
    await issuer.start()
    key = await issuer.newKey('1')
    pair = await startPair({
      plaintext: true,
      snapshot: { defaultAction: 'deny', policies: [admins], jwtProviders: [providerOf(issuer.uri)] },
    })
  })
  after(async () => {
    await pair[Symbol.asyncDispose]()
    issuer.close()
  })

  it('opens what a policy opens to its claims, and reaches the app as it came', async () => {
    const { status, body } = await get(await sign(key))
    assert.deepEqual([status, body], [200, 'hello'])
  })

  it('opens nothing with other claims: that is 403, for the token itself is valid', async () => {
    const { status, problem } = await get(await sign(key, { claims: { ...GOOD, role: 'guest' } }))
    assert.equal(status, 403)
    assert.match(
      String(problem.detail),
      /^a caller without identity with a token of default\/accounts may not GET \//,
    )
  })

  it('need not be there: the caller is anonymous then', async () => {
    assert.equal((await get(undefined, '/public')).status, 200)
    assert.equal((await get()).status, 403)
  })

  it('is refused with 401 and a challenge where it is not valid, even where none would be needed', async () => {
    const stranger = (await generateKeyPair('ES256')).privateKey
    const seconds = Math.floor(Date.now() / 1000)
    const refused: readonly (readonly [token: string, reason: RegExp])[] = [
      [await sign(stranger), /signature does not match/],
      [await sign(key, { expiresIn: seconds - 5 }), /has expired/],
      [await sign(key, { claims: { ...GOOD, nbf: seconds + 60 } }), /not valid yet/],
      [await sign(key, { claims: { ...GOOD, aud: 'bank' } }), /meant for others/],
      [await sign(key, { claims: { ...GOOD, iss: 'https://evil.example' } }), /an issuer that is known here/],
      [
        await sign(new TextEncoder().encode('a secret of 32 bytes, or longer!!')),
        /algorithm is not accepted/,
      ],
      [await sign(key, { claims: { ...GOOD, pad: 'x'.repeat(1024) } }), /at most 1024 bytes/],
      [unsigned(GOOD), /algorithm is not accepted|malformed/],
      ['no.jwt.atall', /an issuer that is known here/],
      ['opaque', /an issuer that is known here/],
    ]
    for (const [token, reason] of refused) {
      const { status, headers, problem } = await get(token, '/public')
      assert.deepEqual([status, problem.code], [401, 'WEFT2002'], token)
      assert.match(String(problem.detail), reason)
      assert.match(headers['www-authenticate'] ?? '', /^Bearer error="invalid_token", error_description="/)
    }
  })

  it('is refused where it says no end', async () => {
    const endless = await new SignJWT(GOOD).setProtectedHeader({ alg: 'ES256', kid: '1' }).sign(key)
    assert.match(String((await get(endless)).problem.detail), /says no end/)
  })

  it('is refused where another Authorization stands beside it, which the app could read instead', async () => {
    const token = await sign(key)
    const lines = [`Bearer ${token}`, 'Basic YTpi'].map((value) => `authorization: ${value}\r\n`)
    for (const fields of [lines, lines.toReversed(), [lines[0], lines[0]], ['authorization: Bearer\r\n']]) {
      const answer = await exchange(
        pair.inbound.port,
        `GET /public HTTP/1.1\r\nhost: server\r\n${fields.join('')}connection: close\r\n\r\n`,
      )
      assert.match(answer, /^HTTP\/1\.1 401 /)
    }
  })

  it('of another scheme is none of ours', async () => {
    const { status } = await call(pair.inbound.port, {
      path: '/public',
      headers: { authorization: 'Basic YTpi' },
    })
    assert.equal(status, 200)
  })

  it('is verified once while it is valid, however often it comes', async () => {
    const token = await sign(key, { claims: { ...GOOD, jti: 'once' } })
    const accepted = async () => countOf(await pair.metrics.registry.metrics(), 'accepted')
    const before = await accepted()
    await Promise.all(Array.from({ length: 20 }, () => get(token)))
    assert.equal((await get(token)).status, 200)
    assert.equal((await accepted()) - before, 1)
  })

  it('waits with its body until it has been verified', async () => {
    const token = await sign(key, { claims: { ...GOOD, jti: 'body' } })
    const { status } = await call(pair.inbound.port, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: Buffer.alloc(500_000),
    })
    assert.equal(status, 200)
  })
})

describe('the keys of an issuer', () => {
  const providers = (jwks: JwksSource) => ({ jwtProviders: [{ ...providerOf(''), jwks }] })
  const startWith = (jwks: JwksSource) =>
    startPair({
      plaintext: true,
      snapshot: { defaultAction: 'deny', policies: [admins], ...providers(jwks) },
    })
  const statusOf = async (pair: Pair, token: string) =>
    (await call(pair.inbound.port, { headers: { authorization: `Bearer ${token}` } })).status

  it('that cannot be had are not the fault of the caller: 503', async () => {
    const issuer = new Issuer()
    await issuer.start()
    const key = await issuer.newKey('1')
    issuer.isDown = true
    await using pair = await startWith({ uri: issuer.uri })
    assert.equal(await statusOf(pair, await sign(key)), 503)
    issuer.close()
  })

  it('are exchanged with the resource, and with a withdrawn key goes what it had signed', async () => {
    const issuer = new Issuer()
    const first = await sign(await issuer.newKey('1'))
    await using pair = await startWith(issuer.inline)
    assert.equal(await statusOf(pair, first), 200)

    issuer.keys.length = 0
    const second = await sign(await issuer.newKey('2'), { kid: '2' })
    pair.inboundSnapshots.change(providers(issuer.inline))

    assert.equal(await statusOf(pair, second), 200)
    assert.equal(await statusOf(pair, first), 401)
  })

  it('may stand in a file, and need no id', async () => {
    const issuer = new Issuer()
    await issuer.newKey('1')
    const key = await issuer.newKey('2')
    const folder = await mkdtemp(join(tmpdir(), 'weft-jwks-'))
    const file = join(folder, 'keys.json')
    await writeFile(file, JSON.stringify({ keys: issuer.keys }))
    await using pair = await startWith({ file })
    const token = await new SignJWT(GOOD)
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime('5m')
      .sign(key)
    assert.equal(await statusOf(pair, token), 200)
    await rm(folder, { recursive: true })
  })

  it('are not asked for where no policy names their provider: tokens are the affair of the app then', async () => {
    await using pair = await startPair({ plaintext: true, snapshot: { defaultAction: 'allow' } })
    assert.equal(await statusOf(pair, 'opaque'), 200)
  })
})

function unsigned(claims: JWTPayload): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ ...claims, exp: 4_000_000_000 })}.`
}

function countOf(metrics: string, outcome: string): number {
  const line = metrics
    .split('\n')
    .find((text) => text.startsWith('weft_jwt_verifications_total') && text.includes(outcome))
  return Number(line?.split(' ').at(-1) ?? 0)
}
