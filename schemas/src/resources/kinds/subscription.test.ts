import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryTopic } from '../defaults.ts'
import { validateResource } from '../validate.ts'

const faultsOf = (laterMs: unknown, topic = 'orders'): readonly string[] =>
  faultsOfSpec({ topic, retry: { laterMs } })

function faultsOfSpec(spec: object): readonly string[] {
  const result = validateResource({
    apiVersion: 'mesh.weft.dev/v1',
    kind: 'Subscription',
    metadata: { name: 'orders' },
    spec: { topic: 'orders', service: 'billing', path: '/orders', ...spec },
  })
  return 'faults' in result ? result.faults.map(({ message }) => message.replace(/, came.*/, '')) : []
}

test('later attempts are told apart by how late they are, and long enough to be worth a topic', () => {
  assert.deepEqual(faultsOf([60_000, 600_000]), [])
  assert.deepEqual(faultsOf([]), ['spec.retry.laterMs: expected at least one entry'])
  assert.deepEqual(faultsOf([60_000, 60_000]), ['spec.retry.laterMs[1]: expected each of them once'])
  assert.deepEqual(faultsOf([10]), ['spec.retry.laterMs[0]: expected a whole number from 1000 to 604800000'])
  assert.equal(faultsOf(new Array(9).fill(0).map((_, at) => 1_000 * (at + 1))).length, 1)
})

test('a filter is an expression that can be read, of what there is', () => {
  assert.deepEqual(faultsOfSpec({ filter: 'event.type == "a" &&\nkey != ""' }), [])
  const [unknown = ''] = faultsOfSpec({ filter: 'data.amount > 1' })
  assert.match(unknown, /^spec\.filter: expected an expression in CEL \(.*data.*\)$/)
  assert.equal(faultsOfSpec({ filter: '\u0007' }).length, 2)
})

test('a start is earliest, latest, or a time', () => {
  for (const startAt of ['earliest', 'latest', '2026-11-26T10:00:00Z', '2026-11-26T10:00:00.5+01:00'])
    assert.deepEqual(faultsOfSpec({ startAt }), [])
  for (const startAt of ['now', '2026-11-26', '10:00', '2026-13-26T10:00:00Z', ''])
    assert.match(faultsOfSpec({ startAt }).join(), /spec\.startAt: expected earliest, latest, or a time as/)
})

test('the topic in which they wait has a name that Kafka takes', () => {
  assert.equal(retryTopic('orders', 'billing', 600_000), 'orders.billing.retry.10m')
  assert.equal(retryTopic('orders', 'billing', 1_500), 'orders.billing.retry.1500ms')
  const [fault = ''] = faultsOf([60_500], 'o'.repeat(232))
  assert.match(fault, /^spec\.retry\.laterMs\[0\]: expected topic and group whose retry topic is /)
})

test('without a path the service comes for its records', () => {
  assert.deepEqual(faultsOfSpec({ path: undefined }), [])
  assert.match(faultsOfSpec({ path: '' }).join(), /spec\.path: expected/)
})
