import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spiffeId } from '@weft/schemas/spiffe'
import type { SidecarView } from './assemble.ts'
import type { EdgeReport } from './counters.ts'
import { createReports } from './reports.ts'
import { readMesh } from './resources.ts'

const ORDER = spiffeId('weft.local', 'default', 'order-service')
const SIDECAR: SidecarView = {
  workload: 'order-1',
  namespace: 'default',
  identity: ORDER.uri,
  connectedSince: '2026-11-21T06:00:00Z',
}

const edge = (parts: Partial<EdgeReport>): EdgeReport => ({
  kind: 'produce',
  source: 'order-service',
  destination: 'orders',
  group: '',
  total: 0n,
  failed: 0n,
  refused: 0n,
  durationSeconds: 0,
  ...parts,
})

/** Reports on a clock that the test turns; the control plane has been up for a minute. */
function world() {
  let now = 1_000_000
  const reports = createReports({ mesh: () => readMesh([]), now: () => now })
  now += 60_000
  return {
    pass: (seconds: number) => {
      now += seconds * 1000
    },
    report: (parts: Partial<EdgeReport>, workload = 'order-1') =>
      reports.report(ORDER, workload, [edge(parts)]),
    rates: (sidecars: readonly SidecarView[] = [SIDECAR]) => reports.rates(sidecars),
    only: () => {
      const [first, ...others] = reports.rates([SIDECAR])
      assert.equal(others.length, 0)
      return first?.rates
    },
  }
}

test('a rate is what was counted in the last ten seconds', () => {
  const { pass, report, only } = world()
  for (let second = 0; second <= 20; second++) {
    report({ total: BigInt(second * 12) })
    pass(1)
  }
  assert.equal(only()?.ratePerSecond, 12)
  assert.equal(only()?.total, 240)
})

test('a rate falls to nothing ten seconds after the last report, the minute after sixty', () => {
  const { pass, report, only } = world()
  report({ total: 100n })
  pass(9)
  assert.equal(only()?.ratePerSecond, 10)
  pass(3)
  assert.deepEqual([only()?.ratePerSecond, only()?.lastMinute.total], [0, 100])
  pass(60)
  assert.equal(only()?.lastMinute.total, 0)
})

test('counters that go down are those of a sidecar that has started again', () => {
  const { pass, report, only } = world()
  report({ total: 100n })
  pass(1)
  report({ total: 130n })
  pass(1)
  report({ total: 5n })
  assert.equal(only()?.total, 135)
})

test('two sidecars of one service add up', () => {
  const { report, only } = world()
  report({ total: 10n })
  report({ total: 20n }, 'order-2')
  assert.equal(only()?.total, 30)
})

test('what sidecars had counted before the control plane started makes a total and no rate', () => {
  let now = 1_000_000
  const reports = createReports({ mesh: () => readMesh([]), now: () => now })
  reports.report(ORDER, 'order-1', [edge({ total: 1_000_000n })])
  now += 1000
  reports.report(ORDER, 'order-1', [edge({ total: 1_000_010n })])
  const rates = reports.rates([SIDECAR])[0]?.rates
  assert.deepEqual([rates?.total, rates?.ratePerSecond], [1_000_010, 1])
})

test('a refusal shows at once, and goes with the first that is permitted', () => {
  const { pass, report, only } = world()
  report({ kind: 'consume', total: 3n, refused: 3n })
  assert.deepEqual([only()?.refusing, only()?.refusedTotal], [true, 3])
  pass(1)
  report({ kind: 'consume', total: 4n, refused: 3n })
  assert.equal(only()?.refusing, undefined)
  assert.equal(only()?.lastMinute.refused, 3)
})

test('the mean latency is that of what was counted, and lasts a minute', () => {
  const { pass, report, only } = world()
  report({ total: 4n, durationSeconds: 0.1 })
  assert.equal(only()?.meanMs, 25)
  pass(30)
  assert.equal(only()?.meanMs, 25)
  pass(60)
  assert.equal(only()?.meanMs, undefined)
})

test('the edges of a sidecar that is gone go after a minute, those of one that is only silent stay', () => {
  const { pass, report, rates } = world()
  report({ total: 1n })
  pass(120)
  assert.equal(rates([SIDECAR]).length, 1)
  assert.equal(rates([]).length, 0)
})

test('a sidecar cannot report for another service', () => {
  const { report, rates } = world()
  report({ source: 'billing-service', total: 1n })
  report({ kind: 'http', source: 'ingress', destination: 'billing-service', total: 1n })
  report({ kind: 'nonsense', total: 1n })
  report({ destination: '', total: 1n })
  report({ destination: 'x'.repeat(300), total: 1n })
  assert.equal(rates().length, 0)
})

test('a caller without an identity is the ingress', () => {
  const { report, rates } = world()
  report({ kind: 'http', source: '-', destination: 'order-service', total: 1n })
  assert.deepEqual(rates()[0]?.name, { kind: 'http', source: 'ingress', destination: 'order-service' })
})

test('numbers that are none count as zero', () => {
  const { report, only } = world()
  report({ total: -5n, failed: -1n, durationSeconds: Number.NaN })
  assert.equal(only()?.total, 0)
})

test('a flood of names is bounded', () => {
  const { report, rates } = world()
  for (let index = 0; index < 12_000; index++) report({ destination: `topic-${index}`, total: 1n })
  assert.equal(rates().length, 10_000)
})
