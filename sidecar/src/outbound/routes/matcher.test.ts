import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RouteMatch, RouteTable } from '@weft/schemas/snapshot-routes'
import fc from 'fast-check'
import type { RequestHead } from '../../transport/exchange.ts'
import { headOf } from '../request-head.test-support.ts'
import { RouteMatcher } from './matcher.ts'

type MatchPart = Partial<RouteMatch>
const matchOf = (part: MatchPart): RouteMatch => ({
  rule: 0,
  path: { type: 'PathPrefix', value: '/' },
  headers: [],
  queryParams: [],
  ...part,
})
const tableOf = (matches: readonly MatchPart[]): RouteTable => ({
  routes: ['HTTPRoute default/r'],
  matches: matches.map((part, rule) => ({ ...matchOf(part), rule })),
  rules: [],
})
const find = (matches: readonly MatchPart[], request: Partial<RequestHead>): number | undefined =>
  new RouteMatcher(tableOf(matches)).find(headOf(request))?.rule

const path = (type: RouteMatch['path']['type'], value: string): MatchPart => ({ path: { type, value } })
const prefix = (value: string) => path('PathPrefix', value)

describe('the matcher', () => {
  it('matches prefixes by whole elements', () => {
    const matches = [prefix('/a/b')]
    for (const target of ['/a/b', '/a/b/', '/a/b/c', '/a/b?x=/a'])
      assert.equal(find(matches, { target }), 0, target)
    for (const target of ['/a', '/a/bc', '/A/b', '/', '/x/a/b', '/a/b%2fc'])
      assert.equal(find(matches, { target }), undefined, target)
  })

  it('matches exact paths whole, without the query', () => {
    const matches = [path('Exact', '/a')]
    assert.equal(find(matches, { target: '/a?b' }), 0)
    for (const target of ['/a/', '/a/b', '/ab']) assert.equal(find(matches, { target }), undefined, target)
  })

  it('matches paths in their normal form, as access is decided', () => {
    const matches = [prefix('/admin')]
    for (const target of ['/%61dmin/x', '//admin', '/x/../admin', '/./admin'])
      assert.equal(find(matches, { target }), 0, target)
  })

  it('matches an expression over the whole value and never in part', () => {
    const matches = [path('RegularExpression', '/v[0-9]+/.*')]
    assert.equal(find(matches, { target: '/v12/users' }), 0)
    assert.equal(find(matches, { target: '/x/v12/users' }), undefined)
  })

  it('takes no time for an expression and a request that would hang one which backtracks', () => {
    const matches = [
      { headers: [{ type: 'RegularExpression', name: 'a', value: '(a+)+(a|aa)+(.*a){10}$' }] } as const,
    ]
    assert.equal(find(matches, { fields: ['a', `${'a'.repeat(30_000)}!`] }), undefined)
  })

  it('joins a header that stands twice as a list, and cookies by semicolons', () => {
    const header = (name: string, value: string): MatchPart => ({ headers: [{ type: 'Exact', name, value }] })
    assert.equal(find([header('a', '1,2')], { fields: ['a', '1', 'b', 'x', 'a', '2'] }), 0)
    const cookie = {
      headers: [{ type: 'RegularExpression', name: 'cookie', value: '(.*; )?user=test(;.*)?' }],
    } as const
    assert.equal(find([cookie], { fields: ['cookie', 'x=1', 'cookie', 'user=test'] }), 0)
    assert.equal(find([cookie], { fields: ['cookie', 'superuser=test'] }), undefined)
    assert.equal(find([header('host', 'shop:80')], { authority: 'shop:80' }), 0)
  })

  it('decodes query parameters, and takes the first of two with one name', () => {
    const query = (value: string): MatchPart => ({ queryParams: [{ type: 'Exact', name: 'q', value }] })
    assert.equal(find([query('a b')], { target: '/?q=a%20b' }), 0)
    assert.equal(find([query('1')], { target: '/?q=1&q=2' }), 0)
    for (const target of ['/?q=2&q=1', '/', '/?', '/?Q=1', '/?%'])
      assert.equal(find([query('1')], { target }), undefined, target)
  })

  it('tells ports and methods apart', () => {
    assert.equal(find([{ port: 80 }], { authority: 'a' }), 0)
    assert.equal(find([{ port: 80 }], { authority: 'a:80' }), 0)
    assert.equal(find([{ port: 80 }], { authority: 'a:81' }), undefined)
    assert.equal(find([{ method: 'GET' }], { method: 'POST' }), undefined)
  })

  it('knows hosts by name, in any case of letters, and by wildcard', () => {
    const matches = [{ hostname: 'a.example' }, { hostname: '*.example' }, {}]
    assert.equal(find(matches, { authority: 'A.Example:8080' }), 0)
    assert.equal(find(matches, { authority: 'b.c.example' }), 1)
    assert.equal(find(matches, { authority: 'example' }), 2)
    assert.equal(find(matches.slice(0, 2), { authority: `${'a.'.repeat(30_000)}example` }), undefined)
  })

  it('looks at no more elements of a path than the longest prefix has', () => {
    assert.equal(find([prefix('/a/b'), prefix('/')], { target: '/a'.repeat(30_000) }), 1)
  })

  it('finds what a look at the whole table finds, for any table and request', () => {
    fc.assert(
      fc.property(fc.array(anyMatch, { maxLength: 12 }), anyRequest, (matches, request) => {
        const expected = matches.findIndex((match) => holds(match, request))
        assert.equal(find(matches, request), expected === -1 ? undefined : expected)
      }),
      { numRuns: 2_000 },
    )
  })
})

const element = fc.constantFrom('a', 'b', 'ab')
const anyPath = fc.array(element, { maxLength: 3 }).map((elements) => `/${elements.join('/')}`)
const anyField = fc.record({
  type: fc.constant('Exact' as const),
  name: fc.constantFrom('x', 'y'),
  value: fc.constantFrom('1', '2'),
})
const onePerName = fc.uniqueArray(anyField, { maxLength: 2, selector: ({ name }) => name })
const anyMatch = fc
  .record({
    path: fc.oneof(
      fc.record({ type: fc.constantFrom('Exact' as const, 'PathPrefix' as const), value: anyPath }),
      fc.record({
        type: fc.constant('RegularExpression' as const),
        value: fc.constantFrom('/a.*', '/.*b', '.*'),
      }),
    ),
    hostname: fc.constantFrom(undefined, undefined, 'a.b', '*.b', 'c.a.b'),
    port: fc.constantFrom(undefined, undefined, 80, 81),
    method: fc.constantFrom(undefined, 'GET', 'POST'),
    headers: onePerName,
    queryParams: onePerName,
  })
  .map(({ hostname, port, method, ...rest }) => ({
    ...rest,
    ...(hostname !== undefined && { hostname }),
    ...(port !== undefined && { port }),
    ...(method !== undefined && { method }),
  }))
const anyRequest = fc
  .record({
    path: anyPath,
    query: fc.constantFrom('', '?x=1', '?x=2&y=1', '?y=2&y=1'),
    authority: fc.constantFrom('a.b', 'c.a.b:81', 'b', 'x'),
    method: fc.constantFrom('GET', 'POST'),
    fields: fc.constantFrom<string[]>([], ['x', '1'], ['x', '2', 'y', '1']),
  })
  .map(({ path: target, query, ...rest }) => ({ ...rest, target: `${target}${query}` }))

/** Word for word what the Gateway API says of one match. */
function holds(
  match: MatchPart,
  request: Pick<RequestHead, 'target' | 'authority' | 'method' | 'fields'>,
): boolean {
  const [target = '', query = ''] = request.target.split('?')
  const [host = '', port = '80'] = request.authority.split(':')
  const { type, value } = matchOf(match).path
  const onPath =
    type === 'Exact'
      ? target === value
      : type === 'RegularExpression'
        ? new RegExp(`^(?:${value})$`).test(target)
        : `${target}/`.startsWith(value.endsWith('/') ? value : `${value}/`)
  const fields = new Map<string, string>()
  for (let at = 0; at < request.fields.length; at += 2)
    fields.set(request.fields[at] ?? '', request.fields[at + 1] ?? '')
  const params = new URLSearchParams(query)
  const { hostname } = match
  return (
    onPath &&
    (hostname === undefined ||
      (hostname.startsWith('*') ? host.endsWith(hostname.slice(1)) : host === hostname)) &&
    (match.port === undefined || match.port === Number(port)) &&
    (match.method === undefined || match.method === request.method) &&
    matchOf(match).headers.every((each) => fields.get(each.name) === each.value) &&
    matchOf(match).queryParams.every((each) => params.get(each.name) === each.value)
  )
}
