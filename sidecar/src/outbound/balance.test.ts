import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Service } from '../transport/exchange.ts'
import { type BalancedEndpoint, choose } from './balance.ts'

const pool: Service = {
  call() {
    throw new Error('not called')
  },
}
const endpoint = (identity: string, active = 0, latencyMs = 0): BalancedEndpoint => ({
  key: identity,
  identity,
  pool,
  active,
  latencyMs,
})
const draws = (endpoints: readonly BalancedEndpoint[], tried?: object): Set<string | undefined> =>
  new Set(Array.from({ length: 200 }, () => choose(endpoints, tried)?.identity))

describe('the choice of an endpoint', () => {
  it('is none without endpoints, and the only one of one, tried or not', () => {
    const only = endpoint('only')

    assert.equal(choose([], undefined), undefined)
    assert.equal(choose([only], only), only)
  })

  it('is never the one just tried where there is another', () => {
    const [a, b, c] = [endpoint('a'), endpoint('b'), endpoint('c')]

    assert.deepEqual(draws([a, b], a), new Set(['b']))
    for (const tried of [a, b, c]) assert.ok(!draws([a, b, c], tried).has(tried.identity))
  })

  it('of two is the one with fewer requests in flight, then the faster one', () => {
    assert.deepEqual(draws([endpoint('busy', 2, 1), endpoint('free', 1, 9)]), new Set(['free']))
    assert.deepEqual(draws([endpoint('slow', 1, 9), endpoint('fast', 1, 1)]), new Set(['fast']))
  })

  it('of many falls on every one but the busiest', () => {
    const many = [endpoint('a'), endpoint('b'), endpoint('c'), endpoint('busiest', 1)]

    assert.deepEqual(draws(many), new Set(['a', 'b', 'c']))
  })
})
