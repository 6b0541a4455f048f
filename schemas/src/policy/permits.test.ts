import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decide, type PolicyIndex } from './decide.ts'
import { permitsOf } from './permits.ts'
import type { HttpAction, NamedPolicy, SourceMatch, Subject } from './types.ts'

// Few names and paths, so that rules meet requests often.
const account = fc.constantFrom('caller', 'other')
const namespace = fc.constantFrom('default', 'billing')
const service = fc.constantFrom('app', 'shop')
const method = fc.constantFrom('GET', 'POST', 'DELETE')
const path = fc.constantFrom('/', '/a', '/a/b', '/a/../b', '/%61', '//a', '/a%2fb', '/b?', 'a', '/a/..;/b')

const token = fc.option(
  fc.constantFrom('admin', 'user').map((role) => ({ providers: ['default/accounts'], claims: { role } })),
  { nil: undefined },
)

const caller: fc.Arbitrary<Subject> = fc.oneof(
  fc.constant<Subject>({ kind: 'anonymous' }),
  fc.record({ account, namespace }).map(
    (who): Subject => ({
      kind: 'workload',
      uri: `spiffe://weft.local/ns/${who.namespace}/sa/${who.account}`,
      namespace: who.namespace,
      serviceAccount: who.account,
    }),
  ),
)

const subject: fc.Arbitrary<Subject> = fc
  .record({ caller, token })
  .map((who) => ({ ...who.caller, ...(who.token !== undefined && { token: who.token }) }))

const from: fc.Arbitrary<SourceMatch> = fc.oneof(
  fc.constant<SourceMatch>({ jwt: { provider: 'accounts', claims: { role: ['admin'] } } }),
  fc.constant<SourceMatch>({ anonymous: true }),
  account.map((serviceAccount): SourceMatch => ({ serviceAccount })),
  namespace.map((name): SourceMatch => ({ namespace: name })),
  fc
    .constantFrom('spiffe://weft.local/*', 'spiffe://*/sa/caller', 'spiffe://elsewhere/*')
    .map((identity): SourceMatch => ({ identity })),
)

const http = fc.record(
  {
    methods: fc.array(method, { minLength: 1, maxLength: 2 }),
    paths: fc.array(fc.constantFrom('/*', '/a', '/a*', '/b', '/'), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
)

const rule = fc.record(
  {
    from: fc.array(from, { minLength: 1, maxLength: 2 }),
    to: fc.array(
      fc.oneof(
        http.map((match) => ({ http: match })),
        fc.constant({ kafka: { operations: ['consume' as const] } }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)

const policy: fc.Arbitrary<NamedPolicy> = fc.record({
  name: fc.constantFrom('p', 'q'),
  namespace,
  target: fc.oneof(
    service.map((name) => ({ service: name })),
    fc.constant({ mesh: true as const }),
    fc.constant({ topic: '*' }),
  ),
  action: fc.constantFrom('allow' as const, 'deny' as const),
  mode: fc.constantFrom('enforce' as const, 'audit' as const),
  rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
})

const index: fc.Arbitrary<PolicyIndex> = fc.record({
  trustDomain: fc.constant('weft.local'),
  defaultAction: fc.constantFrom('allow' as const, 'deny' as const),
  policies: fc.array(policy, { maxLength: 4 }),
})

test('permits cover a request exactly where a policy allows it and nothing is to be audited', () => {
  fc.assert(
    fc.property(index, subject, fc.record({ service, namespace, method, path }), (policies, who, asked) => {
      const action: HttpAction = { protocol: 'http', ...asked }
      const decided = decide(policies, who, action)

      const covers = permitsOf(policies, who, action).covers(action.method, action.path)

      assert.equal(covers, decided.reason === 'allowed-by-policy' && decided.audited === undefined)
    }),
    { numRuns: 3_000 },
  )
})
