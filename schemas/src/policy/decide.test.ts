import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spiffeId } from '../spiffe.ts'
import { decide, subjectOf } from './decide.ts'
import { matchesGlob } from './glob.ts'
import type { AccessPolicySpec, Action, KafkaAction, NamedPolicy, Subject } from './types.ts'

const workload = (serviceAccount: string, namespace = 'default', domain = 'weft.local'): Subject =>
  subjectOf(spiffeId(domain, namespace, serviceAccount))
const policy = (
  name: string,
  spec: Partial<AccessPolicySpec> & Pick<AccessPolicySpec, 'target'>,
): NamedPolicy => ({
  name,
  namespace: 'default',
  action: 'allow',
  mode: 'enforce',
  rules: [{}],
  ...spec,
})
const ask = (
  policies: NamedPolicy[],
  subject: Subject,
  action: Action,
  defaultAction: 'allow' | 'deny' = 'deny',
) => decide({ trustDomain: 'weft.local', defaultAction, policies }, subject, action)

const http = (method = 'GET', path = '/orders', service = 'order-service'): Action => ({
  protocol: 'http',
  service,
  namespace: 'default',
  method,
  path,
})
const topic = (operation: KafkaAction['operation'], name = 'orders', group?: string): Action => ({
  protocol: 'kafka',
  resource: 'topic',
  name,
  operation,
  ...(group !== undefined && { group }),
})
const group = (name: string, operation: KafkaAction['operation'] = 'consume'): Action => ({
  protocol: 'kafka',
  resource: 'group',
  name,
  operation,
})

const product = workload('product-service')
const billing = workload('billing-service')
const orders = policy('orders', {
  target: { topic: 'orders' },
  rules: [
    { from: [{ serviceAccount: 'order-service' }], to: [{ kafka: { operations: ['produce'] } }] },
    {
      from: [{ serviceAccount: 'billing-service' }],
      to: [{ kafka: { operations: ['consume'], groups: ['${serviceAccount}*'] } }],
    },
  ],
})

test('without a policy nothing is allowed', () => {
  assert.deepEqual(pick(ask([], product, http())), { allowed: false, reason: 'no-policy-allows' })
})

test('a mesh that allows by default allows what no policy speaks of, and closes a target that one speaks of', () => {
  assert.equal(ask([], product, http(), 'allow').allowed, true)
  const others = policy('only-billing', {
    target: { service: 'order-service' },
    rules: [{ from: [{ serviceAccount: 'billing-service' }] }],
  })
  assert.equal(ask([others], product, http(), 'allow').allowed, false)
  assert.equal(ask([others], billing, http(), 'allow').allowed, true)
})

test('deny wins over allow, whatever the order', () => {
  const allow = policy('open', { target: { mesh: true } })
  const deny = policy('closed', {
    target: { service: 'order-service' },
    action: 'deny',
    rules: [{ to: [{ http: { methods: ['DELETE'] } }] }],
  })
  for (const policies of [
    [allow, deny],
    [deny, allow],
  ]) {
    assert.deepEqual(pick(ask(policies, product, http('DELETE'))), {
      allowed: false,
      reason: 'denied-by-policy',
      policy: 'default/closed',
    })
    assert.deepEqual(pick(ask(policies, product, http('GET'))), {
      allowed: true,
      reason: 'allowed-by-policy',
      policy: 'default/open',
    })
  }
})

test('an HTTP-only deny does not touch Kafka, and a Kafka-only allow does not open HTTP', () => {
  const open = policy('open', { target: { mesh: true } })
  const httpDeny = policy('no-http', {
    target: { mesh: true },
    action: 'deny',
    rules: [{ to: [{ http: {} }] }],
  })
  assert.equal(ask([open, httpDeny], product, topic('produce')).allowed, true)
  assert.equal(ask([open, httpDeny], product, http()).allowed, false)
  const kafkaAllow = policy('kafka', {
    target: { mesh: true },
    rules: [{ to: [{ kafka: { operations: ['produce'] } }] }],
  })
  assert.equal(ask([kafkaAllow], product, http()).allowed, false)
})

test('a policy of another namespace does not speak of a service of the same name', () => {
  const elsewhere = { ...policy('open', { target: { service: 'order-service' } }), namespace: 'other' }
  assert.equal(ask([elsewhere], product, http()).allowed, false)
})

test('a short service account is one of the namespace of the policy and of the own trust domain', () => {
  const rule = policy('p', {
    target: { service: 'order-service' },
    rules: [{ from: [{ serviceAccount: 'product-service' }] }],
  })
  assert.equal(ask([rule], product, http()).allowed, true)
  assert.equal(ask([rule], workload('product-service', 'other'), http()).allowed, false)
  assert.equal(ask([rule], workload('product-service', 'default', 'evil.example'), http()).allowed, false)
})

test('a whole identity may name a foreign trust domain, with a wildcard', () => {
  const rule = policy('p', {
    target: { service: 'order-service' },
    rules: [{ from: [{ identity: 'spiffe://partner.example/ns/*/sa/shop' }] }],
  })
  assert.equal(ask([rule], workload('shop', 'x', 'partner.example'), http()).allowed, true)
  assert.equal(ask([rule], workload('shop2', 'x', 'partner.example'), http()).allowed, false)
  assert.equal(ask([rule], workload('shop', 'x'), http()).allowed, false)
})

test('a namespace alone means everybody in it', () => {
  const rule = policy('p', {
    target: { service: 'order-service' },
    rules: [{ from: [{ namespace: 'shop' }] }],
  })
  assert.equal(ask([rule], workload('any', 'shop'), http()).allowed, true)
  assert.equal(ask([rule], product, http()).allowed, false)
})

test('a caller without identity is allowed only where a rule says anonymous', () => {
  const anybody: Subject = { kind: 'anonymous' }
  assert.equal(ask([policy('open', { target: { mesh: true } })], anybody, http()).allowed, false)
  assert.equal(
    ask([policy('empty', { target: { mesh: true }, rules: [{ from: [{}] }] })], anybody, http()).allowed,
    false,
  )
  const ingress = policy('shop', {
    target: { service: 'order-service' },
    rules: [{ from: [{ anonymous: true }], to: [{ http: { paths: ['/'] } }] }],
  })
  assert.equal(ask([ingress], anybody, http('GET', '/')).allowed, true)
  assert.equal(ask([ingress], anybody, http('GET', '/orders')).allowed, false)
  assert.equal(ask([ingress], product, http('GET', '/')).allowed, false)
})

test('an empty source matches nobody', () => {
  assert.equal(
    ask([policy('p', { target: { mesh: true }, rules: [{ from: [{}] }] })], product, http()).allowed,
    false,
  )
})

test('there is no way round a path with dots, slashes and escapes', () => {
  const rule = policy('p', { target: { mesh: true }, rules: [{ to: [{ http: { paths: ['/public/*'] } }] }] })
  assert.equal(ask([rule], product, http('GET', '/public/a')).allowed, true)
  for (const path of [
    '/public/../admin',
    '/public/%2e%2e/admin',
    '//admin',
    '/public%2f..%2fadmin',
    '/public/..;/admin',
    '/public/./../admin',
  ]) {
    assert.equal(ask([rule], product, http('GET', path)).allowed, false, path)
  }
  const deny = policy('d', {
    target: { mesh: true },
    action: 'deny',
    rules: [{ to: [{ http: { paths: ['/admin*'] } }] }],
  })
  for (const path of ['//admin', '/./admin', '/x/../admin', '/%61dmin', '/x/%2e%2e/admin']) {
    assert.equal(
      ask([policy('open', { target: { mesh: true } }), deny], product, http('GET', path)).allowed,
      false,
      path,
    )
  }
})

test('operations imply as in Kafka: produce and consume bring describe, nothing more', () => {
  assert.equal(ask([orders], workload('order-service'), topic('produce')).policy, 'default/orders')
  assert.equal(ask([orders], workload('order-service'), topic('describe')).allowed, true)
  assert.equal(ask([orders], workload('order-service'), topic('consume')).allowed, false)
  assert.equal(ask([orders], workload('order-service'), topic('delete')).allowed, false)
  assert.equal(ask([orders], billing, topic('produce')).allowed, false)
})

test('a denied operation does not take its implied ones along', () => {
  const deny = policy('no-writes', {
    target: { topic: 'orders' },
    action: 'deny',
    rules: [{ to: [{ kafka: { operations: ['produce'] } }] }],
  })
  const open = policy('open', { target: { mesh: true } })
  assert.equal(ask([open, deny], product, topic('produce')).allowed, false)
  assert.equal(ask([open, deny], product, topic('describe')).allowed, true)
})

test('the groups of a consume rule are open to who may consume, under their own name only', () => {
  assert.equal(ask([orders], billing, group('billing-service')).allowed, true)
  assert.equal(ask([orders], billing, group('billing-service-2', 'describe')).allowed, true)
  assert.equal(ask([orders], billing, group('other')).allowed, false)
  assert.equal(ask([orders], billing, group('billing-service', 'delete')).allowed, false)
  assert.equal(ask([orders], workload('order-service'), group('order-service')).allowed, false)
  assert.equal(ask([orders], billing, topic('consume', 'orders', 'billing-service')).allowed, true)
  assert.equal(ask([orders], billing, topic('consume', 'orders', 'other')).allowed, false)
  assert.equal(ask([orders], billing, topic('consume')).allowed, true)
})

test('a topic rule without operations says nothing of groups', () => {
  const all = policy('all', {
    target: { topic: 'orders' },
    rules: [{ from: [{ serviceAccount: 'billing-service' }] }],
  })
  assert.equal(ask([all], billing, topic('consume')).allowed, true)
  assert.equal(ask([all], billing, group('anything')).allowed, false)
})

test('a deny on a topic never closes a group for other topics', () => {
  const deny = policy('no', { target: { topic: 'orders' }, action: 'deny' })
  const groups = policy('groups', { target: { group: '*' } })
  assert.equal(ask([deny, groups], billing, group('billing-service')).allowed, true)
})

test('topic targets may end in a star', () => {
  const prefix = policy('p', { target: { topic: 'orders*' } })
  assert.equal(ask([prefix], product, topic('produce', 'orders.retry.1m')).allowed, true)
  assert.equal(ask([prefix], product, topic('produce', 'payments')).allowed, false)
})

test('an audited deny lets pass and is named', () => {
  const deny = policy('trial', { target: { mesh: true }, action: 'deny', mode: 'audit' })
  const result = ask([policy('open', { target: { mesh: true } }), deny], product, http())
  assert.equal(result.allowed, true)
  assert.equal(result.audited, 'default/trial')
})

test('an audited allow lets the other callers of its target pass and is named', () => {
  const trial = policy('trial', {
    target: { service: 'order-service' },
    mode: 'audit',
    rules: [{ from: [{ serviceAccount: 'billing-service' }] }],
  })
  assert.equal(ask([trial], product, http()).allowed, true)
  assert.equal(ask([trial], product, http()).audited, 'default/trial')
  assert.equal(ask([trial], billing, http()).audited, undefined)
  assert.equal(ask([trial], product, http('GET', '/', 'other-service')).allowed, false)
})

test('an audited allow on a topic opens no group', () => {
  const trial = { ...orders, mode: 'audit' } as const
  assert.equal(ask([trial], workload('other'), group('billing-service')).allowed, false)
  assert.equal(ask([trial], billing, group('billing-service')).allowed, true)
})

test('under an open mesh a policy on a topic closes that topic, and no group', () => {
  assert.equal(ask([orders], product, topic('produce'), 'allow').allowed, false)
  assert.equal(ask([orders], product, group('product-service'), 'allow').allowed, true)
})

test('a refusal by nobody names the policy that speaks of the target', () => {
  assert.equal(ask([orders], billing, topic('produce')).policy, 'default/orders')
  assert.equal(ask([orders], billing, topic('produce', 'payments')).policy, undefined)
})

test('every decision says who, what and why', () => {
  assert.equal(
    ask([orders], billing, topic('produce')).explanation,
    'spiffe://weft.local/ns/default/sa/billing-service may not produce topic orders: policy default/orders does not allow it, nor does another',
  )
  assert.match(
    ask([], { kind: 'anonymous' }, http()).explanation,
    /a caller without identity may not GET \/orders/,
  )
})

test('a glob with many stars answers at once', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(50)}b`, 'a'.repeat(10_000)), false)
  assert.equal(matchesGlob('a*b*c', 'aXbYc'), true)
  assert.equal(matchesGlob('a*a', 'a'), false)
  assert.equal(matchesGlob('*', ''), true)
})

/** A decision without its sentence. */
function pick(result: ReturnType<typeof decide>) {
  const { allowed, reason } = result
  return { allowed, reason, ...(result.policy !== undefined && { policy: result.policy }) }
}
