import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spiffeId } from '../spiffe.ts'
import { mayProduceSomewhere } from './any-topic.ts'
import { subjectOf } from './decide.ts'
import type { NamedPolicy } from './types.ts'

const shop = subjectOf(spiffeId('weft.local', 'default', 'shop'))
const policy = (part: Partial<NamedPolicy> & Pick<NamedPolicy, 'target'>): NamedPolicy => ({
  name: 'orders',
  namespace: 'default',
  action: 'allow',
  mode: 'enforce',
  rules: [{ from: [{ serviceAccount: 'shop' }], to: [{ kafka: { operations: ['produce'] } }] }],
  ...part,
})
const ask = (policies: readonly NamedPolicy[], defaultAction: 'allow' | 'deny' = 'deny') =>
  mayProduceSomewhere({ trustDomain: 'weft.local', defaultAction, policies }, shop)

test('who may produce to one topic may produce somewhere', () => {
  assert.equal(ask([]), false)
  for (const topic of ['orders', 'orders*', '*', '${serviceAccount}-events'])
    assert.equal(ask([policy({ target: { topic } })]), true, topic)
  assert.equal(ask([policy({ target: { mesh: true } })]), true)
  assert.equal(ask([], 'allow'), true)
})

test('the rights of others, and other rights, do not count', () => {
  const rules = [
    { from: [{ serviceAccount: 'shop' }], to: [{ kafka: { operations: ['consume'] } }] },
  ] as const
  assert.equal(ask([policy({ target: { topic: 'orders' }, rules })]), false)
  assert.equal(
    ask([policy({ target: { topic: 'orders' }, rules: [{ from: [{ serviceAccount: 'other' }] }] })]),
    false,
  )
})

test('a deny counts where it closes what the allow opens', () => {
  const open = policy({ target: { topic: 'orders' } })
  assert.equal(ask([open, policy({ target: { topic: 'orders' }, action: 'deny' })]), false)
  assert.equal(ask([open, policy({ target: { topic: 'payments' }, action: 'deny' })]), true)
})
