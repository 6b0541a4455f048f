import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { Idempotency } from './idempotency.ts'
import type { Answer } from './results.ts'

const STORED: Answer = { status: 200, body: '{"offset":"7"}' }
const request = (key: string, body = 'b') => ({ key, body: Buffer.from(body) })
const nobody = (): void => assert.fail('the first hears for itself')

test('a repetition hears what the first one heard, while it is on its way and after', () => {
  const idempotency = new Idempotency()
  const heard: unknown[] = []
  const first = idempotency.claim('t', request('k'), nobody)
  assert.ok(first.isFirst)
  assert.ok(!idempotency.claim('t', request('k'), (outcome) => heard.push(outcome)).isFirst)
  assert.equal(heard.length, 0)
  first.settle(STORED)
  assert.ok(!idempotency.claim('t', request('k'), (outcome) => heard.push(outcome)).isFirst)
  assert.deepEqual(heard, [STORED, STORED])
})

test('what failed may be tried again, and those who waited hear of it', () => {
  const idempotency = new Idempotency()
  const heard: unknown[] = []
  const first = idempotency.claim('t', request('k'), nobody)
  idempotency.claim('t', request('k'), (outcome) => heard.push(outcome))
  const error = new MeshError('broker_unavailable', 'x')
  assert.ok(first.isFirst)
  first.settle(error)
  assert.deepEqual(heard, [error])
  assert.ok(idempotency.claim('t', request('k'), nobody).isFirst)
})

test('one key stands for one body, and for one topic', () => {
  const idempotency = new Idempotency()
  idempotency.claim('t', request('k'), nobody)
  assert.throws(
    () => idempotency.claim('t', request('k', 'other'), nobody),
    (error) => error instanceof MeshError && error.code === 'invalid_event',
  )
  assert.ok(idempotency.claim('u', request('k', 'other'), nobody).isFirst)
})

test('the oldest keys are forgotten, so that memory is bounded', () => {
  const idempotency = new Idempotency()
  for (let key = 0; key <= 10_000; key++) idempotency.claim('t', request(String(key)), nobody)
  assert.ok(!idempotency.claim('t', request('1'), () => {}).isFirst)
  assert.ok(idempotency.claim('t', request('0'), nobody).isFirst)
})
