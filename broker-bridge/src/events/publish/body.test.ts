import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { Body } from './body.ts'
import { ByteBudget } from './byte-budget.ts'

/** A body, and what came of it: its text, or the code of the error. */
function collect(declared: number, budget: ByteBudget) {
  const told: string[] = []
  const body = new Body({
    what: 'topic t',
    maxBytes: 100,
    budget,
    declared,
    onWhole: (bytes) => told.push(bytes.toString()),
    onFail: (error) => told.push(error.code),
  })
  return { body, told }
}

const thrown = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return MeshError.from(error).code
  }
  return 'none'
}

test('a body within the limits is kept whole, declared or not', () => {
  const budget = new ByteBudget(100)
  for (const declared of [100, -1]) {
    const { body, told } = collect(declared, budget)
    body.data(Buffer.alloc(40, 'a'))
    body.data(Buffer.alloc(60, 'b'))
    body.end()
    assert.deepEqual(told, ['a'.repeat(40) + 'b'.repeat(60)])
    assert.equal(budget.used, 100)
    body.release()
    body.release()
    assert.equal(budget.used, 0)
  }
  const { body, told } = collect(0, budget)
  body.end()
  assert.deepEqual(told, [''])
})

test('a declared length over the limit is refused before a byte of it has come', () => {
  const budget = new ByteBudget(1_000)
  assert.equal(
    thrown(() => collect(101, budget)),
    'event_too_large',
  )
  assert.equal(budget.used, 0)
})

test('chunks over the limit are refused as they come, and hold nothing', () => {
  const budget = new ByteBudget(1_000)
  const { body, told } = collect(-1, budget)
  body.data(Buffer.alloc(60))
  body.data(Buffer.alloc(60))
  body.data(Buffer.alloc(60))
  body.end()
  assert.deepEqual(told, ['event_too_large'])
  assert.equal(budget.used, 0)
})

test('what does not fit into the memory for all is refused, and takes nothing of it', () => {
  const budget = new ByteBudget(50)
  assert.equal(
    thrown(() => collect(51, budget)),
    'event_buffer_full',
  )
  assert.equal(budget.used, 0)
})

test('a caller that goes away half way is told of once, and holds nothing', () => {
  const budget = new ByteBudget(100)
  const { body, told } = collect(10, budget)
  body.data(Buffer.alloc(4))
  body.cancel(new MeshError('cancelled', 'gone'))
  body.end()
  assert.deepEqual(told, ['cancelled'])
  assert.equal(budget.used, 0)
})

test('a body that trickles in is given up after thirty seconds', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { body, told } = collect(10, new ByteBudget(100))
  body.data(Buffer.alloc(4))
  context.mock.timers.tick(30_000)
  assert.deepEqual(told, ['request_timeout'])
})
