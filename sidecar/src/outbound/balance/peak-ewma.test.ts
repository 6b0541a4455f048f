import assert from 'node:assert/strict'
import { it } from 'node:test'
import { PeakEwma } from './peak-ewma.ts'

it('a peak counts at once, and is forgotten with a decay of ten seconds', () => {
  const latency = new PeakEwma()
  assert.equal(latency.at(0), 30)

  latency.observe(5, 0)
  assert.equal(latency.at(0), 5)
  latency.observe(500, 0)
  assert.equal(latency.at(0), 500)

  assert.ok(Math.abs(latency.at(10_000) - 500 / Math.E) < 0.001)
  latency.observe(5, 10_000)
  const mean = 500 / Math.E + 5 * (1 - 1 / Math.E)
  assert.ok(Math.abs(latency.at(10_000) - mean) < 0.001, String(latency.at(10_000)))
})

it('a refusal makes an endpoint no better, however fast it comes', () => {
  const latency = new PeakEwma()
  latency.observe(50, 0)
  latency.observeRefusal(1, 0)
  assert.equal(latency.at(0), 50)
  latency.observeRefusal(90, 0)
  assert.equal(latency.at(0), 90)
})

it('an endpoint that cannot be reached is the best one no more', () => {
  const latency = new PeakEwma()
  latency.observeFailure(0)
  assert.ok(latency.at(30_000) > 40)
})
