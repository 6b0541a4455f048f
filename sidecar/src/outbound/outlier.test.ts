import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { DEFAULT_TRAFFIC, type OutlierDetection } from '@weft/schemas/snapshot'
import { endpointsOf } from './balance/endpoints.test-support.ts'
import type { LiveEndpoint } from './endpoint.ts'
import type { Outcome } from './outcome.ts'
import { OutlierDetector } from './outlier.ts'

const successRate = { intervalMs: 1_000, minHosts: 5, minRequests: 10, stdevFactor: 1.9 }

function detectorOf(count: number, settings: Partial<OutlierDetection> = {}) {
  const endpoints = endpointsOf(count)
  const reasons: string[] = []
  const detector = new OutlierDetector({
    settings: { ...DEFAULT_TRAFFIC.outlierDetection, ...settings },
    endpoints: () => endpoints,
    onChange: () => {},
    onEjected: (reason) => reasons.push(reason),
  })
  const record = (endpoint: LiveEndpoint | undefined, outcome: Outcome, times: number): void => {
    for (let n = 0; n < times && endpoint !== undefined; n++) detector.record(endpoint, outcome)
  }
  return { endpoints, reasons, detector, record }
}

/** Runs with a clock that only `tick` moves. */
function withClock(run: (tick: (ms: number) => void) => void): void {
  let now = 1_000_000
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  mock.method(performance, 'now', () => now)
  try {
    run((ms) => {
      now += ms
      mock.timers.tick(ms)
    })
  } finally {
    mock.timers.reset()
    mock.restoreAll()
  }
}

describe('outlier detection', () => {
  it('ejects after failures in a row, which a success breaks', () =>
    withClock(() => {
      const { endpoints, reasons, record } = detectorOf(10)
      record(endpoints[0], 'failure', 4)
      record(endpoints[0], 'success', 1)
      record(endpoints[0], 'failure', 4)
      assert.equal(endpoints[0]?.isHealthy, true)

      record(endpoints[0], 'failure', 1)

      assert.equal(endpoints[0]?.isHealthy, false)
      assert.deepEqual(reasons, ['consecutive-failures'])
    }))

  it('counts failures of gateways by themselves where it is told to', () =>
    withClock(() => {
      const settings = { consecutiveFailures: 0, consecutiveGatewayFailures: 2 }
      const { endpoints, reasons, record } = detectorOf(10, settings)
      record(endpoints[0], 'failure', 9)
      assert.deepEqual(reasons, [])

      record(endpoints[0], 'gateway-failure', 2)

      assert.deepEqual(reasons, ['consecutive-gateway-failures'])
    }))

  it('brings back after 30 s, the next time after 60 s, and is at its beginning again after good behaviour', () =>
    withClock((tick) => {
      const { endpoints, record } = detectorOf(10)
      const [endpoint] = endpoints
      for (const [lastsMs, thenMs] of [
        [30_000, 0],
        [60_000, 0],
        [90_000, 100_000],
        [30_000, 0],
      ] as const) {
        record(endpoint, 'failure', 5)
        tick(lastsMs - 1)
        assert.equal(endpoint?.isHealthy, false)
        tick(1)
        assert.equal(endpoint?.isHealthy, true)
        tick(thenMs)
      }
    }))

  it('never lasts longer than the longest ejection', () =>
    withClock((tick) => {
      const { endpoints, record } = detectorOf(10, { maxEjectionMs: 45_000 })
      record(endpoints[0], 'failure', 5)
      tick(30_000)
      record(endpoints[0], 'failure', 5)
      tick(44_999)
      assert.equal(endpoints[0]?.isHealthy, false)
      tick(1)
      assert.equal(endpoints[0]?.isHealthy, true)
    }))

  it('takes out a tenth of the endpoints at most, and one of however few', () =>
    withClock((tick) => {
      for (const [count, most] of [
        [1, 1],
        [9, 1],
        [30, 3],
      ] as const) {
        const { endpoints, reasons, record } = detectorOf(count)
        for (const endpoint of endpoints) record(endpoint, 'failure', 5)
        assert.equal(reasons.length, most)
        tick(30_000)
        assert.ok(endpoints.every(({ isHealthy }) => isHealthy))
      }
    }))

  it('gives the place of an endpoint that left to another', () =>
    withClock(() => {
      const { endpoints, reasons, record, detector } = detectorOf(5)
      const [first, second] = endpoints
      record(first, 'failure', 5)
      record(second, 'failure', 5)
      assert.equal(reasons.length, 1)

      if (first !== undefined) detector.forget(first)
      record(second, 'failure', 5)

      assert.equal(second?.isHealthy, false)
    }))

  it('ejects the one that succeeds far less often than the others', () =>
    withClock((tick) => {
      const { endpoints, reasons, record } = detectorOf(10, { consecutiveFailures: 0, successRate })
      for (const endpoint of endpoints) record(endpoint, 'success', 20)
      record(endpoints[7], 'failure', 20)

      tick(1_000)

      assert.deepEqual(reasons, ['success-rate'])
      assert.equal(endpoints[7]?.isHealthy, false)
    }))

  it('compares nothing where too few endpoints had enough requests', () =>
    withClock((tick) => {
      const { endpoints, reasons, record, detector } = detectorOf(10, { consecutiveFailures: 0, successRate })
      for (const endpoint of endpoints.slice(0, 4)) record(endpoint, 'success', 20)
      record(endpoints[0], 'failure', 100)
      tick(1_000)
      assert.deepEqual(reasons, [])
      detector.close()
    }))
})
