import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf, planTopic } from './topic-plan.ts'

const wanted = {
  name: 't',
  partitions: 3,
  replicationFactor: 1,
  config: { 'retention.ms': '5' },
  maxMessageBytes: 1000,
}
const asWanted = { partitions: 3, replicas: 1, config: { 'retention.ms': '5', 'max.message.bytes': '2024' } }

test('the size limit leaves room for the batch around the record', () => {
  assert.deepEqual(configOf(wanted), { 'retention.ms': '5', 'max.message.bytes': '2024' })
})

test('a topic that is not there is created', () => {
  assert.deepEqual(planTopic(wanted, undefined), { step: 'create' })
})

test('a topic that is as wanted needs nothing', () => {
  assert.deepEqual(planTopic(wanted, asWanted), { step: 'adjust', config: {}, differences: [] })
})

test('partitions are added and settings set, only those that differ', () => {
  const actual = { ...asWanted, partitions: 1, config: { ...asWanted.config, 'retention.ms': '7' } }
  assert.deepEqual(planTopic(wanted, actual), {
    step: 'adjust',
    partitions: 3,
    config: { 'retention.ms': '5' },
    differences: [],
  })
})

test('fewer partitions and other replicas are said, not made', () => {
  const plan = planTopic(wanted, { ...asWanted, partitions: 4, replicas: 3 })
  assert.ok(plan.step === 'adjust' && plan.partitions === undefined)
  assert.match(plan.differences.join('; '), /it has 4 partitions, not 3.*it has 3 replicas, not 1/)
})
