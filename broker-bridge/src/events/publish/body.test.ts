import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { Body } from './body.ts'
import { ByteBudget } from './byte-budget.ts'

const codeOf = (act: () => unknown): string => {
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
    const body = new Body({ topic: 't', maxBytes: 100, budget }, declared)
    body.add(Buffer.alloc(40, 'a'))
    body.add(Buffer.alloc(60, 'b'))
    assert.equal(body.take().toString(), 'a'.repeat(40) + 'b'.repeat(60))
    assert.equal(budget.used, 100)
    body.release()
    body.release()
    assert.equal(budget.used, 0)
  }
  assert.equal(new Body({ topic: 't', maxBytes: 100, budget }, 0).take().length, 0)
})

test('a declared length over the limit is refused before a byte of it has come', () => {
  const budget = new ByteBudget(1_000)
  assert.equal(
    codeOf(() => new Body({ topic: 't', maxBytes: 100, budget }, 101)),
    'event_too_large',
  )
  assert.equal(budget.used, 0)
})

test('chunks over the limit are refused as they come', () => {
  const body = new Body({ topic: 't', maxBytes: 100, budget: new ByteBudget(1_000) }, -1)
  body.add(Buffer.alloc(60))
  assert.equal(
    codeOf(() => body.add(Buffer.alloc(60))),
    'event_too_large',
  )
})

test('what does not fit into the memory for all is overloaded, and takes nothing of it', () => {
  const budget = new ByteBudget(50)
  assert.equal(
    codeOf(() => new Body({ topic: 't', maxBytes: 100, budget }, 51)),
    'overloaded',
  )
  assert.equal(budget.used, 0)
})
