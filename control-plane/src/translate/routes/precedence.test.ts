import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HTTPRouteMatch, type HTTPRouteResource, validateResource } from '@weft/schemas/resources'
import type { RouteMatch } from '@weft/schemas/snapshot-routes'
import fc from 'fast-check'
import { routesOf, routeTable } from './table.ts'

interface Written {
  readonly route: HTTPRouteResource
  readonly rule: number
  readonly match: HTTPRouteMatch
  readonly hostname: string | undefined
}

/**
 * Does `a` go before `b`? Word for word what HTTPRoute says: host without wildcard, longest host, exact path, longest
 * prefix, method, most headers, most query parameters; then the route's name, then the order in the route.
 */
function precedes(a: Written, b: Written): boolean {
  const criteria: ((written: Written) => number | string)[] = [
    ({ hostname }) => (hostname === undefined || hostname.startsWith('*') ? 1 : 0),
    ({ hostname }) => -(hostname?.length ?? 0),
    ({ match }) => (match.path.type === 'Exact' ? 0 : 1),
    ({ match }) => -match.path.value.length,
    ({ match }) => (match.method === undefined ? 1 : 0),
    ({ match }) => -match.headers.length,
    ({ match }) => -match.queryParams.length,
    ({ route }) => `${route.metadata.namespace}/${route.metadata.name}`,
    ({ rule }) => rule,
  ]
  for (const criterion of criteria) {
    const [left, right] = [criterion(a), criterion(b)]
    if (left !== right) return left < right
  }
  return true
}

const name = fc.constantFrom('x', 'y', 'z')
const fields = fc.uniqueArray(fc.record({ name, value: fc.constant('1') }), {
  maxLength: 3,
  selector: (field) => field.name,
})
const match = fc
  .record({
    path: fc.record({
      type: fc.constantFrom('Exact', 'PathPrefix'),
      value: fc.constantFrom('/', '/a', '/bb', '/a/b'),
    }),
    method: fc.constantFrom(undefined, 'GET', 'PUT'),
    headers: fields,
    queryParams: fields,
  })
  .map(({ method, ...rest }) => ({ ...rest, ...(method !== undefined && { method }) }))
const rules = fc.array(fc.record({ matches: fc.array(match, { minLength: 1, maxLength: 4 }) }), {
  minLength: 1,
  maxLength: 4,
})
const hostnames = fc.uniqueArray(fc.constantFrom('a.b', '*.b', 'long.a.b'), { maxLength: 2 })

test('matches stand in the order of the Gateway API, for any routes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(rules, hostnames), { minLength: 1, maxLength: 3 }), (written) => {
      const routes = written.map(([rulesOfRoute, hosts], index) => {
        const result = validateResource({
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'HTTPRoute',
          metadata: { name: `r${9 - index}` },
          spec: { hostnames: hosts, rules: rulesOfRoute },
        })
        assert.ok('resource' in result)
        return result.resource as HTTPRouteResource
      })
      const table = routeTable(
        (routesOf(routes) as readonly HTTPRouteResource[]).map((route) => ({
          route,
          ...(route.spec.hostnames.length > 0 && { hostnames: route.spec.hostnames }),
        })),
        () => undefined,
      )
      const ordered = table.matches.map((entry) =>
        asWritten(entry, routes, table.rules[entry.rule]?.name ?? ''),
      )
      for (const [index, later] of ordered.entries())
        for (const earlier of ordered.slice(0, index)) assert.ok(precedes(earlier, later))
    }),
    { numRuns: 300 },
  )
})

function asWritten(entry: RouteMatch, routes: readonly HTTPRouteResource[], rule: string): Written {
  const [, route = '', index = ''] = /^HTTPRoute default\/(\S+) rule (\d+)$/.exec(rule) ?? []
  const found = routes.find(({ metadata }) => metadata.name === route)
  assert.ok(found)
  const { path, method, headers, queryParams, hostname } = entry
  const match = { path, headers, queryParams, ...(method !== undefined && { method }) }
  return { route: found, rule: Number(index), match, hostname }
}
