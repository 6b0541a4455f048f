import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DEFAULT_TRAFFIC } from '@weft/schemas/snapshot'
import { RetryBudget } from './retry-budget.ts'

const taken = (budget: RetryBudget): number => {
  let permits = 0
  while (budget.tryTake()) permits++
  return permits
}

it('a retry budget always has its minimum, and a share of what is in flight beyond', () => {
  const budget = new RetryBudget({ ...DEFAULT_TRAFFIC.retry, budgetMinConcurrent: 3, budgetRatio: 0.2 })
  assert.equal(taken(budget), 3)

  for (let n = 0; n < 50; n++) budget.begin()

  assert.equal(taken(budget), 7)
})

it('a retry budget gets back what a request took when it ends', () => {
  const budget = new RetryBudget({ ...DEFAULT_TRAFFIC.retry, budgetMinConcurrent: 2 })
  budget.begin()
  assert.equal(taken(budget), 2)

  budget.end(2)

  assert.equal(taken(budget), 2)
})
