import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GradientLimit } from './gradient-limit.ts'

const SETTINGS = { minLimit: 10, maxLimit: 200, rttTolerance: 1.5 }

/** So many windows in which the limit is reached. */
function load(limit: GradientLimit, windows: number, rttMs: number, inFlight?: number): void {
  for (let window = 0; window < windows; window++)
    for (let sample = 0; sample <= 10; sample++) {
      clock += 10
      limit.observe(rttMs, inFlight ?? limit.limit, clock)
    }
}
let clock = 0

describe('the limit of concurrency', () => {
  it('begins low, and grows to its maximum while answers take their usual time', () => {
    const limit = new GradientLimit(SETTINGS)
    assert.equal(limit.limit, 20)

    load(limit, 200, 10)

    assert.equal(limit.limit, 200)
  })

  it('shrinks while answers take longer, and grows again afterwards', () => {
    const limit = new GradientLimit(SETTINGS)
    load(limit, 200, 10)

    load(limit, 20, 100)

    const overloaded = limit.limit
    assert.ok(overloaded < 60, String(overloaded))
    load(limit, 200, 10)
    assert.ok(limit.limit > 150, String(limit.limit))
  })

  it('never goes below its minimum', () => {
    const limit = new GradientLimit(SETTINGS)
    load(limit, 50, 1)
    load(limit, 50, 5_000)
    assert.ok(limit.limit >= 10)
  })

  it('stays as it is while it is far from reached', () => {
    const limit = new GradientLimit(SETTINGS)
    load(limit, 100, 10, 2)
    assert.equal(limit.limit, 20)
  })
})
