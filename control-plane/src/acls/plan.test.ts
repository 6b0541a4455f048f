import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NamedPolicy, subjectOf } from '@weft/schemas/policy'
import { spiffeId } from '@weft/schemas/spiffe'
import { planAcls } from './plan.ts'

const workload = (serviceAccount: string) => ({
  subject: subjectOf(spiffeId('weft.local', 'default', serviceAccount)),
  principal: `User:${serviceAccount}`,
})
const WORKLOADS = [workload('billing'), workload('shop')]

const policy = (part: Partial<NamedPolicy> & Pick<NamedPolicy, 'target'>): NamedPolicy => ({
  name: 'orders',
  namespace: 'default',
  action: 'allow',
  mode: 'enforce',
  rules: [{}],
  ...part,
})

/** The plan of these policies, a line for each ACL. */
function plan(policies: readonly NamedPolicy[], defaultAction: 'allow' | 'deny' = 'deny') {
  const { bindings, remarks } = planAcls({ trustDomain: 'weft.local', defaultAction, policies }, WORKLOADS)
  const lines = bindings.map(
    ({ permission, principal, operation, resourceType, patternType, resourceName }) =>
      `${permission} ${principal} ${operation} ${resourceType} ${patternType} ${resourceName}`,
  )
  return { lines: lines.toSorted(), remarks }
}

test('a rule is an ACL for each workload that it speaks of, and its groups come with it', () => {
  const { lines } = plan([
    policy({
      target: { topic: 'orders*' },
      rules: [
        {
          from: [{ serviceAccount: 'billing' }],
          to: [{ kafka: { operations: ['consume'], groups: ['${serviceAccount}-*'] } }],
        },
      ],
    }),
  ])
  assert.deepEqual(lines, [
    'allow User:billing consume group prefixed billing-',
    'allow User:billing consume topic prefixed orders',
  ])
})

test('a rule without operations is all of them, and one of HTTP is none', () => {
  const { lines } = plan([
    policy({ target: { topic: 'orders' }, rules: [{ from: [{ serviceAccount: 'shop' }] }] }),
    policy({ target: { mesh: true }, rules: [{ to: [{ http: {} }] }] }),
  ])
  assert.deepEqual(lines, ['allow User:shop all topic literal orders'])
})

test('an operation that a kind of resource does not know is left out: a broker would refuse the ACL', () => {
  const { lines } = plan([
    policy({
      target: { transactionalId: 'tx' },
      rules: [{ from: [{ serviceAccount: 'shop' }], to: [{ kafka: { operations: ['produce', 'delete'] } }] }],
    }),
  ])
  assert.deepEqual(lines, ['allow User:shop produce transactionalId literal tx'])
})

test('a star inside of a name allows nothing and denies more, and is told', () => {
  const target = { topic: 'a*z' }
  const allowed = plan([policy({ target })])
  assert.deepEqual(allowed.lines, [])
  assert.match(allowed.remarks[0] ?? '', /no ACL can say a\*z, so the broker does not allow it/)
  const denied = plan([policy({ target, action: 'deny' })])
  assert.deepEqual(denied.lines, [
    'deny User:billing all topic prefixed a',
    'deny User:shop all topic prefixed a',
  ])
})

test('a deny on trial is no ACL, and an allow on trial refuses nobody', () => {
  const rules = [{ from: [{ serviceAccount: 'billing' }] }]
  const target = { topic: 'orders' }
  assert.deepEqual(plan([policy({ target, rules, action: 'deny', mode: 'audit' })]).lines, [])
  assert.deepEqual(plan([policy({ target, rules, mode: 'audit' })]).lines, [
    'allow User:billing all topic literal orders',
    'allow User:shop all topic literal orders',
  ])
})

test('a mesh that allows by default has no ACLs, and says why', () => {
  const { lines, remarks } = plan([policy({ target: { topic: 'orders' } })], 'allow')
  assert.deepEqual(lines, [])
  assert.equal(remarks.length, 1)
})
