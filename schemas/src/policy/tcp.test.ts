import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spiffeId } from '../spiffe.ts'
import { decide, subjectOf } from './decide.ts'
import type { Action, NamedPolicy, OperationMatch } from './types.ts'

const caller = subjectOf(spiffeId('weft.local', 'default', 'order-service'))
const policy = (to: OperationMatch | undefined, part: Partial<NamedPolicy> = {}): NamedPolicy => ({
  name: 'db',
  namespace: 'default',
  target: { service: 'order-db' },
  action: 'allow',
  mode: 'enforce',
  rules: [{ ...(to !== undefined && { to: [to] }) }],
  ...part,
})
const connect = (port = 5432, service = 'order-db'): Action => ({
  protocol: 'tcp',
  service,
  namespace: 'default',
  port,
})
const get: Action = { protocol: 'http', service: 'order-db', namespace: 'default', method: 'GET', path: '/' }
const ask = (policies: readonly NamedPolicy[], action: Action, subject = caller) =>
  decide({ trustDomain: 'weft.local', defaultAction: 'deny', policies }, subject, action)

test('a connection is refused unless a policy allows its port', () => {
  assert.equal(ask([], connect()).allowed, false)
  assert.equal(ask([policy({ tcp: { ports: [5432] } })], connect()).allowed, true)
  assert.equal(ask([policy({ tcp: { ports: [5432] } })], connect(5433)).allowed, false)
  assert.equal(ask([policy({ tcp: { ports: [] } })], connect()).allowed, false)
  assert.equal(ask([policy({ tcp: {} })], connect()).allowed, true)
  assert.equal(ask([policy({ tcp: {} })], connect(5432, 'other')).allowed, false)
})

test('a rule without operations allows every port, to callers with an identity', () => {
  assert.equal(ask([policy(undefined)], connect()).allowed, true)
  assert.equal(ask([policy(undefined)], connect(), subjectOf(undefined)).allowed, false)
})

test('what is said of one protocol never matters to another', () => {
  assert.equal(ask([policy({ tcp: {} })], get).allowed, false)
  assert.equal(ask([policy({ http: {} })], connect()).allowed, false)
  const open = policy(undefined, { name: 'open', target: { mesh: true } })
  assert.equal(ask([open, policy({ tcp: {} }, { action: 'deny' })], get).allowed, true)
  assert.equal(ask([open, policy({ http: {} }, { action: 'deny' })], connect()).allowed, true)
  assert.equal(ask([open, policy({ tcp: { ports: [5432] } }, { action: 'deny' })], connect()).allowed, false)
})

test('the decision names the port', () => {
  assert.equal(
    ask([policy({ tcp: {} })], connect()).explanation,
    'spiffe://weft.local/ns/default/sa/order-service may connect to port 5432 of service default/order-db: policy default/db allows it',
  )
})
