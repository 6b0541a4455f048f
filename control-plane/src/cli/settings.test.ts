import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from './cli.test-support.ts'
import { CONTEXT_FILE, findContext } from './context.ts'
import { type Io, screen } from './io.ts'
import { findTarget, parseTimeout } from './settings.ts'

const CONTEXT = {
  name: 'shop',
  pid: 1,
  controlPlaneUrl: 'http://127.0.0.1:20001',
  grpcAddress: '127.0.0.1:20002',
  adminTokenFile: '/shop/admin-token',
  dashboardUrl: 'http://127.0.0.1:20001/',
  socketPath: '/shop/up.sock',
  stateDir: '/shop',
}

async function projectWith(t: TestContext, text = JSON.stringify(CONTEXT)): Promise<string> {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'src/deep'), { recursive: true })
  await mkdir(join(folder, dirname(CONTEXT_FILE)))
  await writeFile(join(folder, CONTEXT_FILE), text)
  return folder
}

function ioAt(cwd: string, env: Record<string, string> = {}): Io {
  const nowhere = screen({ write: () => {} }, false)
  return { out: nowhere, err: nowhere, stdin: process.stdin, env, cwd }
}

test('the context of the nearest folder upwards is found', async (t) => {
  const folder = await projectWith(t)
  assert.deepEqual(await findContext(join(folder, 'src/deep')), CONTEXT)
  assert.equal(await findContext('/'), undefined)
})

test('a damaged context is an error that says what is wrong, not a silent other control plane', async (t) => {
  await assert.rejects(findContext(await projectWith(t, '{"name":')), /context\.json is damaged/)
  await assert.rejects(
    findContext(await projectWith(t, '{"name":"shop"}')),
    /it has no controlPlaneUrl, grpcAddress/,
  )
})

test('an option wins over the environment, that over the context, that over the default', async (t) => {
  const cwd = await projectWith(t)
  const env = { WEFT_CONTROL_PLANE_URL: 'http://127.0.0.1:20010' }
  const urls = [
    await findTarget(ioAt(cwd, env), { controlPlane: 'http://127.0.0.1:20020' }),
    await findTarget(ioAt(cwd, env), {}),
    await findTarget(ioAt(cwd), {}),
    await findTarget(ioAt('/'), {}),
  ].map(({ url }) => url)
  assert.deepEqual(
    urls,
    [20020, 20010, 20001, 15014].map((port) => `http://127.0.0.1:${port}`),
  )
})

test('the token of a context goes to the control plane of that context only', async (t) => {
  const cwd = await projectWith(t)
  assert.equal((await findTarget(ioAt(cwd), {})).tokenFile, '/shop/admin-token')
  assert.equal(
    (await findTarget(ioAt(cwd), { controlPlane: `${CONTEXT.controlPlaneUrl}/` })).tokenFile,
    '/shop/admin-token',
  )
  assert.equal((await findTarget(ioAt(cwd), { controlPlane: 'http://127.0.0.1:6666' })).tokenFile, undefined)
})

test('a token file is named by option or environment, or lies in the state folder of this shell', async () => {
  const env = { WEFT_ADMIN_TOKEN_FILE: 'a', WEFT_STATE_DIR: '/state' }
  assert.equal((await findTarget(ioAt('/x', env), { tokenFile: 'b' })).tokenFile, '/x/b')
  assert.equal((await findTarget(ioAt('/x', env), {})).tokenFile, '/x/a')
  assert.equal(
    (await findTarget(ioAt('/x', { WEFT_STATE_DIR: '/state' }), {})).tokenFile,
    '/state/admin-token',
  )
})

test('what is no http URL is wrong usage', async () => {
  for (const controlPlane of ['127.0.0.1:15014', 'ftp://x', 'nonsense'])
    await assert.rejects(findTarget(ioAt('/'), { controlPlane }), /has to be an http or https URL/)
})

test('times', () => {
  assert.equal(parseTimeout('500ms'), 500)
  assert.equal(parseTimeout('5s'), 5000)
  assert.equal(parseTimeout('5'), 5000)
  assert.equal(parseTimeout('2m'), 120_000)
  for (const wrong of ['', '0', '-1', '5h', '1e9', 'Infinity'])
    assert.throws(() => parseTimeout(wrong), /expected a time/)
})
