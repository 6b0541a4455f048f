import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalisePath } from './path.ts'

const NORMAL: readonly (readonly [came: string, normal: string])[] = [
  ['/', '/'],
  ['/orders/1', '/orders/1'],
  ['//orders', '/orders'],
  ['/orders//1', '/orders/1'],
  ['/./orders', '/orders'],
  ['/orders/.', '/orders/'],
  ['/a/../b', '/b'],
  ['/a/%2e%2e/b', '/b'],
  ['/a/%2E/b', '/a/b'],
  ['/../../b', '/b'],
  ['/%6frders', '/orders'],
  ['/a%3fb', '/a%3Fb'],
  ['/a%252e', '/a%252e'],
  ['/orders/', '/orders/'],
]
for (const [came, normal] of NORMAL) {
  test(`the path ${came} is read as ${normal}`, () => assert.equal(normalisePath(came), normal))
}

const AMBIGUOUS = [
  '',
  'orders',
  '*',
  '/a%2fb',
  '/a%5Cb',
  '/a\\b',
  '/a%00',
  '/a%0a',
  '/a%7f',
  '/a%',
  '/a%2',
  '/a%zz',
  '/a b',
  '/a#b',
  '/a?b',
  '/a\u0000',
]
for (const came of [...AMBIGUOUS, '/public/..;/admin', '/public/%2e%2e;x/admin', '/a//../b']) {
  test(`the path ${JSON.stringify(came)} has no normal form`, () =>
    assert.equal(normalisePath(came), undefined))
}

test('normalising twice is normalising once, and what comes out holds no way to climb', () => {
  const piece = fc.constantFrom(
    'a',
    'B',
    '.',
    '..',
    '/',
    '//',
    '%2e',
    '%2E%2e',
    '%41',
    '%20',
    '%25',
    ';',
    '~',
    'ü',
  )
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const once = normalisePath(`/${pieces.join('')}`)
      if (once === undefined) return
      assert.equal(normalisePath(once), once)
      assert.ok(once.startsWith('/') && !once.includes('//'))
      assert.ok(!once.split('/').some((segment) => segment === '.' || segment === '..'))
    }),
  )
})
