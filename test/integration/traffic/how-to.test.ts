/** Plays the pages of docs/how-to/traffic that are about routes, with the resources that stand there. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, RequestListener } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { resourceBlocks } from '../../../docs/snippets.ts'
import { type Mesh, startMesh } from './mesh.ts'

const PAGES = join(import.meta.dirname, '../../../docs/how-to/traffic')

const REVIEWS = `apiVersion: mesh.weft.dev/v1
kind: Service
metadata: { name: reviews }
spec: { selector: { app: reviews } }
`

/** The last request that each version got. */
type Requests = Map<string, IncomingMessage>

/** The mesh of a page: three versions of reviews, each of which answers with its name. */
async function meshOf(page: string, requests: Requests = new Map()): Promise<Mesh> {
  const version =
    (name: string): RequestListener =>
    (request, response) => {
      requests.set(name, request)
      request.resume().on('end', () => response.end(name))
    }
  const blocks = resourceBlocks(await readFile(join(PAGES, `${page}.md`), 'utf8'))
  const names = ['reviews-v1', 'reviews-v2', 'reviews-v3']
  return startMesh({
    apps: Object.fromEntries(names.map((name) => [name, version(name)])),
    yaml: [REVIEWS, ...blocks.map(({ text }) => text)].join('---\n'),
  })
}

test('match-requests', async () => {
  await using mesh = await meshOf('match-requests')
  const who = async (path: string, more: object = {}) =>
    (await mesh.call({ host: 'reviews', path, ...more })).body
  assert.equal(await who('/reviews/0'), 'reviews-v1')
  assert.equal(await who('/reviews/0', { headers: { 'end-user': 'jason' } }), 'reviews-v2')
  assert.equal(await who('/archive/1', { headers: { 'end-user': 'jason' } }), 'reviews-v3')
  assert.equal(await who('/archives'), 'reviews-v1')
  assert.equal(await who('/x', { headers: { cookie: 'a=b; preview=on' } }), 'reviews-v2')
  assert.equal(await who('/x?version=2'), 'reviews-v2')
  assert.equal(await who('/reviews/0', { method: 'DELETE' }), 'reviews-v3')
  assert.equal(await who('/reviews/17/drafts'), 'reviews-v3')
})

test('split-traffic', async () => {
  await using mesh = await meshOf('split-traffic')
  const counts = new Map<string, number>()
  for (let n = 0; n < 300; n++) {
    const { body } = await mesh.call({ host: 'reviews' })
    counts.set(body, (counts.get(body) ?? 0) + 1)
  }
  // 240 of 300 are meant; eight standard deviations are 55.
  assert.ok(Math.abs((counts.get('reviews-v1') ?? 0) - 240) < 55, JSON.stringify([...counts]))
  assert.equal(counts.size, 3)
})

test('mirror-traffic', async () => {
  const copied = Promise.withResolvers<void>()
  const requests: Requests = new (class extends Map<string, IncomingMessage> {
    override set(name: string, request: IncomingMessage): this {
      if (name === 'reviews-v3') copied.resolve()
      return super.set(name, request)
    }
  })()
  await using mesh = await meshOf('mirror-traffic', requests)
  assert.equal((await mesh.call({ host: 'reviews', path: '/reviews/0' })).body, 'reviews-v1')
  await copied.promise
  assert.equal(requests.get('reviews-v3')?.url, '/reviews/0')
})

test('change-headers', async () => {
  const requests: Requests = new Map()
  await using mesh = await meshOf('change-headers', requests)
  // Not to have met both backends after so many is one chance in 10^9.
  for (let n = 0; n < 200 && requests.size < 2; n++) {
    const { headers } = await mesh.call({ host: 'reviews', headers: { 'x-debug': '1' } })
    assert.equal(headers['cache-control'], 'no-store')
  }
  for (const [name, canary] of [
    ['reviews-v1', undefined],
    ['reviews-v2', '1'],
  ] as const) {
    const headers = requests.get(name)?.headers
    assert.deepEqual(
      [headers?.['x-tenant'], headers?.['x-debug'], headers?.['x-canary']],
      ['acme', undefined, canary],
    )
  }
})

test('rewrite-and-redirect', async () => {
  const requests: Requests = new Map()
  await using mesh = await meshOf('rewrite-and-redirect', requests)
  await mesh.call({ host: 'reviews', path: '/api/v1/0?a=b' })
  const { url, headers } = requests.get('reviews-v1') ?? {}
  assert.deepEqual([url, headers?.host], ['/reviews/0?a=b', 'reviews.internal'])
  const moved = await mesh.call({ host: 'reviews', path: '/old?a=b' })
  assert.deepEqual([moved.status, moved.headers.location], [301, 'http://reviews/api/v1/0?a=b'])
})

test('allow-other-origins', async () => {
  await using mesh = await meshOf('allow-other-origins')
  const origin = 'https://www.shop.example'
  const { headers } = await mesh.call({ host: 'reviews', headers: { origin } })
  assert.deepEqual(
    [headers['access-control-allow-origin'], headers['access-control-expose-headers']],
    [origin, 'X-Total'.toLowerCase()],
  )
})

test('keep-sessions', async () => {
  await using mesh = await meshOf('keep-sessions')
  const begun = await mesh.call({ host: 'reviews' })
  const [cookie = ''] = begun.headers['set-cookie'] ?? []
  assert.match(cookie, /^reviews-session=.*; Max-Age=3600/)
  for (let n = 0; n < 30; n++) {
    const again = await mesh.call({ host: 'reviews', headers: { cookie: cookie.split(';')[0] ?? '' } })
    assert.equal(again.body, begun.body)
  }
})

test('route-grpc', async () => {
  await using mesh = await meshOf('route-grpc')
  const who = async (path: string, headers: Record<string, string> = {}) => {
    const { status, body } = await mesh.call({ host: 'reviews', path, method: 'POST', headers })
    return status === 200 ? body : status
  }
  assert.equal(await who('/shop.Reviews/Get', { tenant: 'acme' }), 'reviews-v2')
  assert.equal(await who('/shop.Reviews/Get'), 'reviews-v1')
  assert.equal(await who('/shop.Other/Get'), 404)
})

test('limit-time-and-retry', async () => {
  let attempts = 0
  const blocks = resourceBlocks(await readFile(join(PAGES, 'limit-time-and-retry.md'), 'utf8'))
  await using mesh = await startMesh({
    apps: {
      'reviews-v1': (request, response) => {
        attempts++
        if (request.url === '/hang') return
        request.resume().on('end', () => response.writeHead(attempts < 3 ? 500 : 200).end())
      },
    },
    yaml: [REVIEWS, ...blocks.map(({ text }) => text)].join('---\n'),
  })
  const posted = await mesh.call({ host: 'reviews', method: 'POST', body: 'x' })
  assert.deepEqual([posted.status, attempts], [200, 3], 'a status of `codes` is tried again for any method')

  attempts = 0
  const hanging = await mesh.call({ host: 'reviews', path: '/hang' })
  assert.equal(hanging.status, 504)
  assert.ok(attempts > 1, 'an attempt that hangs is given up as an attempt')
})
