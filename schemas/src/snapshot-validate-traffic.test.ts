import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_HEALTH_CHECK, DEFAULT_SUCCESS_RATE, DEFAULT_TRAFFIC } from './snapshot-traffic.ts'
import { INBOUND_TRAFFIC, TRAFFIC } from './snapshot-validate-traffic.ts'

function faultsOf(check: typeof TRAFFIC, value: unknown): readonly string[] {
  const faults: string[] = []
  check(value, 'at', (path, expected) => faults.push(`${path}: ${expected}`))
  return faults
}

const limit = {
  name: 'search',
  paths: ['/search*'],
  methods: [],
  requests: 10,
  periodMs: 1_000,
  burst: 10,
  per: 'caller',
}

test('the defaults pass, with and without what is optional', () => {
  const { outlierDetection } = DEFAULT_TRAFFIC
  assert.deepEqual(faultsOf(TRAFFIC, DEFAULT_TRAFFIC), [])
  assert.deepEqual(
    faultsOf(TRAFFIC, {
      ...DEFAULT_TRAFFIC,
      healthCheck: DEFAULT_HEALTH_CHECK,
      outlierDetection: { ...outlierDetection, successRate: DEFAULT_SUCCESS_RATE },
      faults: [{ headers: [{ name: 'x' }], abort: { percent: 1, grpcStatus: 14 } }],
    }),
    [],
  )
  assert.deepEqual(faultsOf(INBOUND_TRAFFIC, { rateLimits: [limit] }), [])
})

test('what is out of range is named', () => {
  const { retry, loadBalancing } = DEFAULT_TRAFFIC
  assert.deepEqual(
    faultsOf(TRAFFIC, {
      ...DEFAULT_TRAFFIC,
      retry: { ...retry, on: ['whenever'], statuses: [99] },
      loadBalancing: {
        ...loadBalancing,
        policy: 'best',
        hashOn: [{}],
        slowStart: { windowMs: 0, aggression: Number.NaN, minWeightPercent: 101 },
      },
    }).map((fault) => fault.split(':')[0]),
    [
      'at.retry.on[0]',
      'at.retry.statuses[0]',
      'at.loadBalancing.policy',
      'at.loadBalancing.hashOn[0]',
      'at.loadBalancing.slowStart.aggression',
      'at.loadBalancing.slowStart.minWeightPercent',
    ],
  )
})

test('a limit with a member that is not known is refused: it may be the one that narrows it', () => {
  assert.deepEqual(faultsOf(INBOUND_TRAFFIC, { rateLimits: [{ ...limit, headers: [] }] }), [
    'at.rateLimits[0].headers: a member that this version knows',
  ])
})
