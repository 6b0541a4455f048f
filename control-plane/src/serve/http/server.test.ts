import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ERROR_TABLE } from '@weft/schemas/error'
import { api, topic, withHost } from './http.test-support.ts'

test('reads are open; every write needs the admin token, and the refusal says where it is', async (t) => {
  const { call, store, tokenPath } = await api(t)
  const writes = [
    ['POST', '/api/v1/resources'],
    ['PUT', '/api/v1/resources'],
    ['PUT', '/api/v1/namespaces/default/topics/a'],
    ['DELETE', '/api/v1/namespaces/default/topics/a'],
    ['POST', '/api/v1/join-tokens'],
    ['POST', '/api/v1/certificates'],
    ['POST', '/no/such/route'],
    ['OPTIONS', '/api/v1/resources'],
  ] as const
  for (const [method, path] of writes) {
    const { status, body, headers } = await call(method, path, {
      anonymous: true,
      ...(method !== 'OPTIONS' && { body: topic('a') }),
    })
    assert.equal(status, 401, `${method} ${path}`)
    assert.equal(headers.get('www-authenticate'), 'Bearer realm="weft"')
    assert.ok(body.hint.includes(tokenPath))
  }
  assert.deepEqual(store.resources(), [])
  for (const path of [
    '/healthz',
    '/ready',
    '/metrics',
    '/api/v1/resources',
    '/api/v1/sidecars',
    '/api/v1/faults',
  ])
    assert.equal((await call('GET', path, { anonymous: true })).status, 200, path)
})

test('a token that is nearly right is wrong', async (t) => {
  const { call, token } = await api(t)
  for (const authorization of [
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token}x`,
    token,
    `Basic ${token}`,
    'Bearer ',
    'Bearer',
  ])
    assert.equal(
      (
        await call('PUT', '/api/v1/resources', {
          body: topic('a'),
          anonymous: true,
          headers: { authorization },
        })
      ).status,
      401,
    )
  const lower = { body: topic('a'), anonymous: true, headers: { authorization: `bearer ${token}` } } as const
  assert.equal((await call('PUT', '/api/v1/resources', lower)).status, 200)
})

test('the token file is for its owner only', async (t) => {
  const { tokenPath, token } = await api(t)
  assert.equal((await stat(tokenPath)).mode & 0o777, 0o600)
  assert.equal(token.length, 43)
})

test('names that a hostile page could have resolve to loopback are refused', async (t) => {
  const { port } = await api(t)
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '0.0.0.0',
    '10.0.0.1',
    'a@localhost',
    '[::2]',
  ])
    assert.equal(await withHost(port, host), 421, host)
  for (const host of [
    'localhost',
    `LOCALHOST:${port}`,
    '127.0.0.1',
    '127.1.2.3:80',
    '[::1]',
    'weft.localhost',
    'mesh.example',
  ])
    assert.equal(await withHost(port, host), 200, host)
})

test('whatever goes wrong is a problem document', async (t) => {
  const { call } = await api(t)
  const notFound = await call('GET', '/nowhere')
  assert.deepEqual(
    [notFound.status, notFound.body.code, notFound.body.type],
    [404, 'WEFT5002', '/problems/WEFT5002'],
  )
  const badUrl = await call('GET', '/api/v1/namespaces/default/topics/%zz')
  assert.deepEqual([badUrl.status, badUrl.body.code], [400, 'WEFT1001'])
  for (const { headers } of [notFound, badUrl])
    assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/)
})

test('what is not HTTP is answered with a problem and closed', async (t) => {
  const { port } = await api(t)
  const answer = await new Promise<string>((resolve, reject) => {
    let text = ''
    connect(port, '127.0.0.1', function (this: ReturnType<typeof connect>) {
      this.write(
        'GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      )
    })
      .on('data', (chunk) => {
        text += chunk.toString()
      })
      .on('close', () => resolve(text))
      .on('error', reject)
  })
  assert.match(answer, /^HTTP\/1\.1 400 /)
  assert.match(answer, /application\/problem\+json/)
  assert.match(answer, /"code":"WEFT1001"/)
})

test('the page of every error of the table can be read', async (t) => {
  const { call } = await api(t)
  for (const { id, title } of Object.values(ERROR_TABLE)) {
    const { status, text } = await call('GET', `/problems/${id}`)
    assert.equal(status, 200)
    assert.ok(text.includes(title))
  }
  assert.equal((await call('GET', '/problems/WEFT0000')).status, 404)
})

test('a join token and a certificate are given to the administrator, and faults are named', async (t) => {
  const { call } = await api(t)
  const join = await call('POST', '/api/v1/join-tokens', {
    body: { namespace: 'default', serviceAccount: 'a' },
  })
  assert.equal(join.status, 201)
  assert.match(join.body.token, /^weft-join\.[\w-]{43}\.[\w-]{43}$/)
  assert.ok(Date.parse(join.body.expiresAt) > Date.now())
  assert.equal(join.headers.get('cache-control'), 'no-store')

  const broker = { namespace: 'kafka', serviceAccount: 'broker', dnsNames: ['localhost'], ttlSeconds: 60 }
  const certificate = await call('POST', '/api/v1/certificates', { body: broker })
  assert.equal(certificate.status, 201)
  assert.match(certificate.body.certificatePem, /BEGIN CERTIFICATE/)
  assert.match(certificate.body.privateKeyPem, /PRIVATE KEY/)

  const wrong = await call('POST', '/api/v1/join-tokens', { body: { serviceAccount: 5, extra: 1 } })
  assert.equal(wrong.status, 400)
  assert.match(wrong.body.detail, /namespace.*serviceAccount.*|serviceAccount.*namespace/s)
  const forged = { ...broker, namespace: 'weft-system', serviceAccount: 'control-plane' }
  assert.equal((await call('POST', '/api/v1/certificates', { body: forged })).status, 422)
})

test('can answers as a sidecar would decide, with the policy that decided', async (t) => {
  const { call } = await api(t)
  const policy = `apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: orders }
spec: { target: { topic: orders }, rules: [{ from: [{ serviceAccount: order-service }], to: [{ kafka: { operations: [produce] } }] }] }
`
  await call('PUT', '/api/v1/resources', { body: policy })
  const action = { protocol: 'kafka', resource: 'topic', name: 'orders', operation: 'produce' }
  const ask = async (subject: object, asked: object = action) =>
    await call('POST', '/api/v1/can', { anonymous: true, body: { subject, action: asked } })
  const yes = await ask({ namespace: 'default', serviceAccount: 'order-service' })
  assert.deepEqual([yes.body.allowed, yes.body.policy], [true, 'default/orders'])
  assert.match(yes.body.explanation, /may produce topic orders: policy default\/orders allows it/)
  assert.equal((await ask({ serviceAccount: 'other' })).body.allowed, false)
  assert.equal((await ask({ anonymous: true })).body.allowed, false)
  const climb = { protocol: 'http', service: 'a', method: 'GET', path: '/a%2f..' }
  assert.equal((await ask({ anonymous: true }, climb)).body.reason, 'path-not-normalisable')
  for (const [subject, asked] of [
    [{}, action],
    [{ serviceAccount: 'Not A Name' }, action],
    [{ serviceAccount: 'a' }, { protocol: 'smtp' }],
    [{ serviceAccount: 'a' }, { ...action, operation: 'eat' }],
  ] as const)
    assert.equal((await ask(subject, asked)).status, 400)
})

// An idle connection would stay for more than a minute.
test('draining ends idle connections at once and lets nobody in', { timeout: 30_000 }, async (t) => {
  const { call, url, drain } = await api(t)
  await call('GET', '/healthz')
  await drain()
  await assert.rejects(fetch(`${url}/healthz`))
})
