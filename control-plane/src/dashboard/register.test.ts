import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'
import { registerDashboard } from './register.ts'

async function start(t: TestContext, build: boolean): Promise<{ app: FastifyInstance; dist: string }> {
  const dist = await mkdtemp(join(tmpdir(), 'weft-dashboard-'))
  if (build) await writeBuilt(dist)
  const app = fastify()
  registerDashboard(app, { dist })
  await app.ready()
  t.after(async () => {
    await app.close()
    await rm(dist, { recursive: true })
  })
  return { app, dist }
}

async function writeBuilt(dist: string): Promise<void> {
  await mkdir(join(dist, 'assets'), { recursive: true })
  await writeFile(join(dist, 'index.html'), '<!doctype html><title>Weft</title>')
  await writeFile(join(dist, 'assets', 'index-Ab12.js'), 'export {}')
  await writeFile(join(dist, 'secret.txt'), 'secret')
}

test('every page is the one document, with the policy of the house, and is asked for again each time', async (t) => {
  const { app } = await start(t, true)
  for (const url of ['/', '/traces', '/traces/4bf92f3577b34da6a3ce929d0e0e4736', '/?trace=x']) {
    const answer = await app.inject(url)
    assert.equal(answer.statusCode, 200, url)
    assert.match(answer.body, /<title>Weft/)
    assert.equal(
      answer.headers['content-security-policy'],
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['referrer-policy'], 'no-referrer')
    assert.equal(answer.headers['cache-control'], 'no-cache')
  }
})

test('an asset is kept for a year: its name is its content', async (t) => {
  const { app } = await start(t, true)
  const answer = await app.inject('/assets/index-Ab12.js')
  assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.match(String(answer.headers['content-type']), /^text\/javascript|^application\/javascript/)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff')
})

test('nothing outside of the built assets is served', async (t) => {
  const { app } = await start(t, true)
  for (const url of [
    '/assets/../secret.txt',
    '/assets/%2e%2e/secret.txt',
    '/assets/..%2fsecret.txt',
    '/assets/',
    '/secret.txt',
  ]) {
    const answer = await app.inject(url)
    assert.ok(answer.statusCode >= 400, url)
    assert.doesNotMatch(answer.body, /^secret/)
  }
})

test('a page that has not been built says how to build it, and is served as soon as it is', async (t) => {
  const { app, dist } = await start(t, false)
  const before = await app.inject('/')
  assert.equal(before.statusCode, 503)
  assert.match(before.body, /npm run build:dashboard/)
  await writeBuilt(dist)
  assert.equal((await app.inject('/')).statusCode, 200)
  assert.equal((await app.inject('/assets/index-Ab12.js')).statusCode, 200)
})
