import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWebApp } from '../chassis/web-app.ts'
import { CATALOGUE } from './catalogue.ts'
import { registerPage } from './page.ts'

function given() {
  const app = createWebApp({ name: 'product-service', logLevel: 'silent', isReady: () => true })
  registerPage(app)
  return app
}

test('the page and all that it names are served, under a policy that allows its own scripts and nothing else', async () => {
  const app = given()

  const page = await app.inject('/')

  assert.equal(page.statusCode, 200)
  assert.match(String(page.headers['content-type']), /^text\/html/)
  assert.match(
    String(page.headers['content-security-policy']),
    /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';/,
  )
  const named = [...page.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '')
  const pictures = CATALOGUE.map(({ productId }) => `/images/${productId}.svg`)
  for (const path of [...named, ...pictures]) assert.equal((await app.inject(path)).statusCode, 200, path)
})

test('the page holds no script and no style of its own, which its policy would not run', async () => {
  const { body } = await given().inject('/')

  assert.doesNotMatch(body, /<style|style=|<script>|\son[a-z]+=/)
})

test('a browser that has a file already is told so', async () => {
  const app = given()
  const { etag } = (await app.inject('/shop.js')).headers

  const again = await app.inject({ url: '/shop.js', headers: { 'if-none-match': String(etag) } })

  assert.deepEqual([again.statusCode, again.body], [304, ''])
})

test('no path leads out of the page’s folder', async () => {
  const app = given()

  for (const path of [
    '/../page.ts',
    '/images/../../stock.ts',
    '/%2e%2e/page.ts',
    '/..%2fpage.ts',
    '/tsconfig.json',
  ])
    assert.equal((await app.inject(path)).statusCode, 404, path)
})
