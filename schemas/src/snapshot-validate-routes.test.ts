import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_TRAFFIC } from './snapshot.ts'
import type { RouteTable } from './snapshot-routes.ts'
import { checkRouteReferences, ROUTE_TABLE } from './snapshot-validate-routes.ts'

const TABLE: RouteTable = {
  routes: ['HTTPRoute default/a'],
  matches: [
    {
      rule: 0,
      hostname: '*.shop.example',
      port: 80,
      path: { type: 'PathPrefix', value: '/' },
      method: 'GET',
      headers: [{ type: 'Exact', name: 'x', value: '' }],
      queryParams: [{ type: 'RegularExpression', name: 'q', value: '.*' }],
    },
  ],
  rules: [
    {
      name: 'HTTPRoute default/a rule 0',
      filters: {
        requestHeaders: { set: [{ name: 'x', value: '1' }], add: [], remove: ['y'] },
        rewrite: { hostname: 'b', path: { type: 'prefix', prefix: '/', replacement: '' } },
        mirrors: [{ service: 'default/a', share: 0.5 }],
      },
      backends: [
        { name: 'Service default/a:80', service: 'default/a', weight: 1, filters: {} },
        { name: 'Service default/gone:80', weight: 0, filters: {} },
      ],
      requestTimeoutMs: 0,
      retry: { statusCodes: [503], attempts: 1, backoffMs: 0 },
      session: { type: 'Cookie', name: 'a', path: '/', isPermanent: false, maxAgeSeconds: 0 },
    },
  ],
}

/** Of the table itself; where it has none, of what it names. */
function faultsOf(routes: unknown): readonly string[] {
  const faults: string[] = []
  const report = (path: string, expected: string): void => void faults.push(`${path}: expected ${expected}`)
  ROUTE_TABLE(routes, 'routes', report)
  if (faults.length > 0) return faults
  const service = { name: 'a', namespace: 'default', hosts: ['a'], endpoints: [], traffic: DEFAULT_TRAFFIC }
  checkRouteReferences({ services: [{ ...service, routes: routes as RouteTable }, service] }, report)
  return faults
}

/** A copy of the table with the value at a dotted path replaced. */
function edited(path: string, value: unknown): unknown {
  const copy: unknown = structuredClone(TABLE)
  const names = path.split('.')
  const last = names.pop() ?? ''
  Reflect.set(
    names.reduce<unknown>((at, name) => Reflect.get(at as object, name), copy) as object,
    last,
    value,
  )
  return copy
}

test('a table of routes passes, beside a service without one', () => {
  assert.deepEqual(faultsOf(TABLE), [])
})

test('a member that is not known is a fault wherever it stands: it may be the one that narrows a match', () => {
  for (const path of [
    'future',
    'matches.0.future',
    'matches.0.path.future',
    'matches.0.headers.0.future',
    'rules.0.future',
    'rules.0.filters.future',
    'rules.0.backends.0.future',
    'rules.0.retry.future',
    'rules.0.session.future',
  ])
    assert.match(faultsOf(edited(path, 1)).join(), /a member that this version knows/, path)
})

test('what names something that is not there is a fault', () => {
  assert.deepEqual(faultsOf(edited('matches.0.rule', 1)), [
    'services[0].routes.matches[].rule: expected a rule of the table',
  ])
  for (const path of ['rules.0.backends.0.service', 'rules.0.filters.mirrors.0.service'])
    assert.deepEqual(faultsOf(edited(path, 'default/b')), [
      'services[0].routes.rules[]: expected a service of the snapshot',
    ])
})

test('values of any other kind are refused without an exception', () => {
  const wrong = [null, 1, -1, 'x', '', [], [null], {}, { a: 1 }, Number.NaN]
  for (const value of wrong) assert.ok(faultsOf(value).length > 0)
  for (const path of [
    'matches',
    'rules',
    'matches.0',
    'matches.0.path',
    'rules.0',
    'rules.0.filters.rewrite.path',
  ])
    for (const value of [null, 1, 'x', [null], [1], { a: 1 }])
      assert.ok(faultsOf(edited(path, value)).length > 0, `${path} ${JSON.stringify(value)}`)
})
