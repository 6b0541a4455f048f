import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { headOf } from '../request-head.test-support.ts'
import { RecordedService, recordedCall } from './recorded.test-support.ts'
import { redirect } from './redirect.ts'
import { rewrite, rewriteTarget } from './rewrite.ts'

describe('a path that is rewritten', () => {
  it('follows the table of the Gateway API', () => {
    const rows = [
      ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
      ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
      ['/foo', '/foo', '/xyz', '/xyz'],
      ['/foo/', '/foo', '/xyz', '/xyz/'],
      ['/foo/bar', '/foo', '', '/bar'],
      ['/foo/', '/foo', '', '/'],
      ['/foo', '/foo', '', '/'],
      ['/foo/', '/foo', '/', '/'],
      ['/foo', '/foo', '/', '/'],
      ['/foo', '/', '/xyz', '/xyz/foo'],
      ['/', '/', '/xyz', '/xyz/'],
      ['/foo/bar?q=/foo', '/foo', '/xyz', '/xyz/bar?q=/foo'],
    ] as const
    for (const [target, prefix, replacement, expected] of rows)
      assert.equal(
        rewriteTarget(target, { type: 'prefix', prefix, replacement }),
        expected,
        `${target} ${replacement}`,
      )
    assert.equal(rewriteTarget('/a/b?c', { type: 'full', path: '/x' }), '/x?c')
  })

  it('is rewritten in the form in which it matched, and refused where it has none', () => {
    const settings = { type: 'prefix', prefix: '/foo', replacement: '' } as const
    assert.equal(rewriteTarget('//f%6fo//evil', settings), '/evil')
    for (const target of ['/foo/%2e%2e%2fadmin', '/foo/..;/x', '/foo/%zz'])
      assert.throws(() => rewriteTarget(target, settings), { code: 'invalid_request' }, target)
  })

  it('goes on with another host, and the head that came stays as it was', () => {
    const inner = new RecordedService()
    const head = headOf({ target: '/a?b', authority: 'shop' })

    recordedCall(rewrite(inner, { hostname: 'other', path: { type: 'full', path: '/x' } }), head)

    assert.deepEqual([inner.heads[0]?.authority, inner.heads[0]?.target], ['other', '/x?b'])
    assert.deepEqual([head.authority, head.target], ['shop', '/a?b'])
    assert.equal(inner.heads[0]?.notes, head.notes)
  })

  it('costs nothing where nothing is rewritten', () => {
    const inner = new RecordedService()
    assert.equal(rewrite(inner, undefined), inner)
  })
})

describe('a redirect', () => {
  const locationOf = (
    settings: Parameters<typeof redirect>[0],
    authority = 'Shop:8080',
    scheme: 'http' | 'https' = 'http',
  ) => {
    const { status, fields } = recordedCall(
      redirect(settings, scheme),
      headOf({ authority, target: '/old/a?b=c' }),
    )
    return [status, ...fields]
  }

  it('keeps what it does not name: scheme, host, port, path and query', () => {
    assert.deepEqual(locationOf({ status: 302 }), [302, 'location', 'http://shop:8080/old/a?b=c'])
    assert.deepEqual(locationOf({ status: 302 }, 'shop', 'https'), [
      302,
      'location',
      'https://shop/old/a?b=c',
    ])
  })

  it('leaves out the port that the scheme brings', () => {
    assert.deepEqual(locationOf({ status: 301, scheme: 'https' }), [
      301,
      'location',
      'https://shop/old/a?b=c',
    ])
    assert.deepEqual(locationOf({ status: 301, port: 80 }), [301, 'location', 'http://shop/old/a?b=c'])
    assert.deepEqual(locationOf({ status: 301, scheme: 'https', port: 8443 }), [
      301,
      'location',
      'https://shop:8443/old/a?b=c',
    ])
  })

  it('names another host and path', () => {
    const path = { type: 'prefix', prefix: '/old', replacement: '/new' } as const
    assert.deepEqual(locationOf({ status: 308, hostname: 'new.example', port: 80, path }), [
      308,
      'location',
      'http://new.example/new/a?b=c',
    ])
  })
})
