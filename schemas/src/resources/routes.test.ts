import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateResource } from './index.ts'

const head = (kind: string) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind,
  metadata: { name: 'r', namespace: 'shop' },
})
const http = (rule: object, more: object = {}) => ({ ...head('HTTPRoute'), spec: { rules: [rule], ...more } })
const grpc = (rule: object) => ({ ...head('GRPCRoute'), spec: { rules: [rule] } })

function completed(value: unknown): unknown {
  const result = validateResource(value)
  assert.ok('resource' in result, JSON.stringify(result))
  assert.deepEqual(validateResource(result.resource), result, 'completes to itself')
  return result.resource.spec
}

/** `path: expected…, came…` of each fault. */
function messages(value: unknown): readonly string[] {
  const result = validateResource(value)
  assert.ok('faults' in result, 'expected faults')
  return result.faults.map(({ message }) => message.replace(/^spec\.rules\[0\]\./, ''))
}

test('an HTTPRoute is completed as the Gateway API says', () => {
  assert.deepEqual(
    completed({
      ...head('HTTPRoute'),
      spec: {
        parentRefs: [{ name: 'edge' }, { group: '', kind: 'Service', name: 'reviews' }],
        rules: [{ backendRefs: [{ name: 'a', port: 80 }] }],
      },
    }),
    {
      parentRefs: [
        { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop', name: 'edge' },
        { group: '', kind: 'Service', namespace: 'shop', name: 'reviews' },
      ],
      hostnames: [],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] }],
          filters: [],
          backendRefs: [
            { group: '', kind: 'Service', namespace: 'shop', name: 'a', port: 80, weight: 1, filters: [] },
          ],
        },
      ],
    },
  )
})

test('a GRPCRoute is completed as the Gateway API says', () => {
  assert.deepEqual(completed(grpc({ matches: [{ method: { service: 'a.B' } }], sessionPersistence: {} })), {
    parentRefs: [],
    hostnames: [],
    rules: [
      {
        matches: [{ method: { type: 'Exact', service: 'a.B' }, headers: [] }],
        filters: [],
        backendRefs: [],
        sessionPersistence: { type: 'Cookie', cookie: { path: '/', lifetimeType: 'Session' } },
      },
    ],
  })
})

test('every fault of a route is named at once', () => {
  assert.deepEqual(
    messages(
      http(
        {
          matches: [
            {
              path: { type: 'RegularExpression', value: '/(a+)\\1' },
              headers: [{ name: 'a b', value: 'x' }],
            },
            { path: { value: '/a//b' }, method: 'get' },
          ],
          filters: [{ type: 'RequestMirror' }],
          timeouts: { request: '1s', backendRequest: '2s' },
          retry: { codes: [503, 503] },
        },
        { parentRefs: [{ kind: 'Service', name: 'a' }] },
      ),
    ).map((message) => message.split(': expected')[0]),
    [
      'matches[0].headers[0].name',
      'matches[1].method',
      'spec.parentRefs[0].group',
      'filters[0]',
      'matches[0].path.value',
      'matches[1].path.value',
      'timeouts.backendRequest',
      'retry.codes',
    ],
  )
})

test('an expression that backtracks, looks around or is huge when compiled is refused; RE2 syntax passes', () => {
  const withHeader = (value: string) =>
    http({ matches: [{ headers: [{ type: 'RegularExpression', name: 'a', value }] }] })
  for (const value of [
    '(a)\\1',
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
    '((a{1,100}){1,100})',
    'a{1,1001}',
    '(',
    '[b-a]',
    'x'.repeat(1025),
  ])
    assert.match(messages(withHeader(value)).join(), /expected a regular expression/, value)
  for (const value of ['(a+)+$', '^(?i)chrome/[0-9]+', '(?:a|b)*c', '\\p{Greek}+'])
    assert.ok('resource' in validateResource(withHeader(value)), value)
})

test('headers of the connection, the trace and the identity cannot be changed by a route', () => {
  for (const name of [
    'Host',
    'connection',
    'Content-Length',
    'Transfer-Encoding',
    'traceparent',
    'X-Forwarded-Client-Cert',
    'x_weft_peer',
    'TE',
  ])
    for (const modifier of [
      { set: [{ name, value: 'x' }] },
      { add: [{ name, value: 'x' }] },
      { remove: [name] },
    ])
      for (const type of ['RequestHeaderModifier', 'ResponseHeaderModifier'])
        assert.match(
          messages(http({ filters: [{ type, [type.replace('R', 'r')]: modifier }] })).join(),
          /expected a header name that a route may change/,
          name,
        )
  const value = 'a\r\nx-forwarded-client-cert: URI=spiffe://weft.local/ns/default/sa/admin'
  const filter = { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value }] } }
  assert.match(messages(http({ filters: [filter] })).join(), /expected a header value/)
})

test('filters that contradict one another are faults', () => {
  const redirect = { type: 'RequestRedirect', requestRedirect: {} }
  const rewrite = { type: 'URLRewrite', urlRewrite: { hostname: 'a.b' } }
  const prefix = {
    type: 'URLRewrite',
    urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/x' } },
  }
  const backendRefs = [{ name: 'a', port: 80 }]
  const faults = (rule: object) => messages(http(rule)).map((message) => message.split(', came')[0])
  assert.deepEqual(faults({ filters: [redirect, rewrite] }), [
    'filters[0]: expected RequestRedirect without URLRewrite',
  ])
  assert.deepEqual(faults({ filters: [redirect], backendRefs }), [
    'filters[0]: expected RequestRedirect without backendRefs',
  ])
  assert.deepEqual(faults({ filters: [rewrite, rewrite] }), ['filters[1].type: expected each filter once'])
  assert.deepEqual(faults({ matches: [{ path: { type: 'Exact', value: '/a' } }], filters: [prefix] }), [
    'filters[0].urlRewrite.path.type: expected exactly one match of the rule, a PathPrefix, to replace',
  ])
  assert.deepEqual(
    faults({ filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath' } } }] }),
    ['filters[0].urlRewrite.path: expected replaceFullPath alone, because the type is ReplaceFullPath'],
  )
  assert.deepEqual(faults({ filters: [{ ...rewrite, cors: {} }] }), [
    'filters[0].cors: expected nothing but URLRewrite',
  ])
})

test('a session says where it is kept, and for how long where the cookie is to last', () => {
  const faults = (sessionPersistence: object) => messages(http({ sessionPersistence }))
  assert.match(faults({ type: 'Header' }).join(), /the name of the header/)
  assert.match(
    faults({ type: 'Header', header: { name: 'a' }, cookie: {} }).join(),
    /cookie only with the type Cookie/,
  )
  assert.match(faults({ cookie: { lifetimeType: 'Permanent' } }).join(), /a lifetime/)
})

test('a mirror has a percent or a fraction of at most one', () => {
  const mirror = (more: object) =>
    http({
      filters: [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'a', port: 80 }, ...more } }],
    })
  assert.match(messages(mirror({ percent: 1, fraction: { numerator: 1 } })).join(), /percent or fraction/)
  assert.match(messages(mirror({ fraction: { numerator: 101 } })).join(), /at most the denominator/)
  assert.ok('resource' in validateResource(mirror({ fraction: { numerator: 1, denominator: 1000 } })))
})

test('a gRPC match names a service or a method in the form of its type', () => {
  const faults = (method: object) => messages(grpc({ matches: [{ method }] }))
  assert.match(faults({}).join(), /service, method or both/)
  assert.match(faults({ service: 'a/b' }).join(), /a gRPC name/)
  assert.match(faults({ type: 'RegularExpression', method: '(' }).join(), /a regular expression/)
})

test('values of any kind in any place are refused without an exception', () => {
  for (const value of [null, 1, 'x', [], [null], {}, { type: 1 }, [{ filters: [null], matches: [1] }]])
    for (const kind of ['HTTPRoute', 'GRPCRoute'])
      for (const member of ['parentRefs', 'rules', 'hostnames'])
        assert.ok(validateResource({ ...head(kind), spec: { [member]: value } }))
})
