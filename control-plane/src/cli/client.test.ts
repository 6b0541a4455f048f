import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startAnswering, temporaryFolder, weft } from './cli.test-support.ts'
import { ControlPlaneClient, isLoopback } from './client.ts'
import { choosePort } from './up/free-port.ts'

test('no control plane: the message says where it looked, why it failed and what to do', async () => {
  const url = `http://127.0.0.1:${await choosePort()}`
  const { code, stdout, stderr } = await weft(['get', 'topics', '--control-plane', url])
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.equal(
    stderr,
    `error: no control plane at ${url} (connection refused)\nStart one with \`weft up\`, or name another with --control-plane or WEFT_CONTROL_PLANE_URL.\n`,
  )
})

test('every fault of a problem is a line with its place', async (t) => {
  const faults = [
    {
      file: 'body',
      line: 4,
      column: 3,
      path: 'spec.a',
      expected: 'x',
      came: 'y',
      message: 'spec.a: expected x, came y',
    },
    {
      file: 'body',
      line: 9,
      column: 1,
      path: 'kind',
      expected: 'x',
      came: 'z',
      message: 'kind: expected x, came z',
    },
  ]
  const problem = {
    title: 'The resource is invalid',
    detail: 'two faults',
    code: 'WEFT5001',
    hint: 'Correct them.',
    faults,
  }
  const { url } = await startAnswering(t, () => ({ status: 422, body: problem }))
  const { code, stderr } = await weft(['get', 'topics', '--control-plane', url])
  assert.equal(code, 1)
  assert.equal(
    stderr,
    'error: The resource is invalid: two faults (WEFT5001)\n  body:4:3 spec.a: expected x, came y\n  body:9:1 kind: expected x, came z\nCorrect them.\n',
  )
})

test('an answer that is no problem document keeps its status and first words', async (t) => {
  const { url } = await startAnswering(t, () => ({ status: 502, body: 'bad gateway' }))
  const { stderr } = await weft(['get', 'topics', '--control-plane', url])
  assert.match(stderr, /GET \/api\/v1\/resources: the control plane answered 502: bad gateway/)
})

test('something else that listens on the port is told of', async (t) => {
  const { url } = await startAnswering(t, () => ({ body: '<html>' }))
  const { code, stderr } = await weft(['get', 'topics', '--control-plane', url])
  assert.equal(code, 1)
  assert.match(stderr, /did not answer JSON\nIs this the port of a Weft control plane\?/)
})

test('a control plane that hangs ends in an error after the timeout', async (t) => {
  const { url } = await startAnswering(t, () => () => {})
  const { code, stderr } = await weft(['get', 'topics', '--control-plane', url, '--timeout', '50ms'])
  assert.equal(code, 1)
  assert.match(stderr, /did not answer within 0\.05 s/)
})

test('a redirect is not followed: the token would go with it', async (t) => {
  const { url, asked } = await startAnswering(t, () => (response) => {
    response.writeHead(307, { location: '/elsewhere' })
    response.end()
  })
  assert.equal((await weft(['get', 'topics', '--control-plane', url])).code, 1)
  assert.equal(asked.length, 1)
})

test('the token goes with writes only, and never in the clear to another machine', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'token'), 'secret\n')
  const { url, asked } = await startAnswering(t, ({ method }) =>
    method === 'GET'
      ? { body: { version: 1, items: [] } }
      : { status: 201, body: { token: 't', expiresAt: 'later' } },
  )
  const around = { cwd: folder, env: { WEFT_ADMIN_TOKEN_FILE: 'token', WEFT_CONTROL_PLANE_URL: url } }
  await weft(['get', 'topics'], around)
  await weft(['token', 'create', '--service-account', 'a'], around)
  assert.deepEqual(
    asked.map(({ authorization }) => authorization),
    [undefined, 'Bearer secret'],
  )

  const client = new ControlPlaneClient({
    url: 'http://192.0.2.1',
    timeoutMs: 50,
    readToken: async () => 'secret',
  })
  await assert.rejects(
    client.send('POST', '/api/v1/join-tokens', {}),
    /would cross the network unencrypted to 192\.0\.2\.1/,
  )
})

test('loopback is 127.0.0.0/8, ::1 and localhost, and no name that only looks like it', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '[::1]', '::1', 'localhost', 'weft.localhost'])
    assert.equal(isLoopback(host), true, host)
  for (const host of ['127.0.0.1.example.com', 'localhost.example.com', '10.0.0.1', '[::2]', '127x'])
    assert.equal(isLoopback(host), false, host)
})

test('a write without a token says where the token is', async (t) => {
  const { url } = await startAnswering(t, () => ({
    status: 401,
    body: { title: 'The caller has no valid identity', hint: 'A certificate.' },
  }))
  const { stderr } = await weft(['token', 'create', '--service-account', 'a', '--control-plane', url])
  assert.match(stderr, /Name the admin token file with --token-file/)
  const missing = await weft([
    'token',
    'create',
    '--service-account',
    'a',
    '--control-plane',
    url,
    '--token-file',
    '/nowhere',
  ])
  assert.equal(missing.code, 2)
  assert.match(missing.stderr, /the token file \/nowhere cannot be read \(ENOENT\)/)
})
