import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LiveEndpoint } from '../endpoint.ts'
import { headOf } from '../request-head.test-support.ts'
import { chiSquare, counted, endpointOf, endpointsOf, filled } from './endpoints.test-support.ts'
import { leastRequest } from './least-request.ts'
import type { Picker } from './picker.ts'
import { random } from './random.ts'
import { roundRobin } from './round-robin.ts'
import { weightWith } from './weight.ts'

const noSlowStart = weightWith({ windowMs: 0, aggression: 1, minWeightPercent: 10 })
const head = headOf({})
const names = (picker: Picker, tried?: object) =>
  Object.keys(counted(300, () => picker.pick(head, tried))).sort()

/** Nine degrees of freedom: exceeded by chance once in a million times. */
const CHI_SQUARE_LIMIT = 44.8

for (const [name, newPicker] of [
  ['leastRequest', () => leastRequest(noSlowStart)],
  ['random', () => random()],
  ['roundRobin', () => roundRobin(noSlowStart, true)],
  ['roundRobin with slow start', () => roundRobin(noSlowStart, false)],
] as const)
  describe(name, () => {
    it('has nothing to choose of none, and the only one of one, tried or not', () => {
      const only = endpointOf('only')
      assert.equal(filled(newPicker(), []).pick(head, undefined), undefined)
      assert.equal(filled(newPicker(), [only]).pick(head, only), only)
    })

    it('never chooses the one just tried where there is another', () => {
      const [a, b, c] = [endpointOf('a'), endpointOf('b'), endpointOf('c')]
      assert.deepEqual(names(filled(newPicker(), [a, b]), a), ['b'])
      assert.deepEqual(names(filled(newPicker(), [a, b, c]), b), ['a', 'c'])
    })

    it('spreads 10,000 requests over ten endpoints evenly', () => {
      const picker = filled(newPicker(), endpointsOf(10))
      const counts = counted(10_000, () => picker.pick(head, undefined))
      assert.ok(chiSquare(counts, 10) < CHI_SQUARE_LIMIT, JSON.stringify(counts))
    })

    it('leaves out those that are not healthy', () => {
      const [a, b, c] = [endpointOf('a'), endpointOf('b'), endpointOf('c')]
      b.failedCheck = 'it answered 500'
      assert.deepEqual(names(filled(newPicker(), [a, b, c])), ['a', 'c'])
    })
  })

describe('leastRequest', () => {
  const measured = (name: string, rttMs: number, active = 0): LiveEndpoint => {
    const endpoint = endpointOf(name)
    endpoint.latency.observe(rttMs, performance.now())
    endpoint.active = active
    return endpoint
  }
  const chosen = (...endpoints: readonly LiveEndpoint[]) =>
    names(filled(leastRequest(noSlowStart), endpoints))

  it('chooses of two the one with less to do and the shorter times', () => {
    assert.deepEqual(chosen(measured('busy', 5, 3), measured('free', 5, 1)), ['free'])
    assert.deepEqual(chosen(measured('slow', 90), measured('fast', 5)), ['fast'])
    // Nine requests of 5 ms cost less than one of 90 ms.
    assert.deepEqual(chosen(measured('slow', 90), measured('fast and busy', 5, 9)), ['fast and busy'])
  })

  it('asks one that was never asked, with one request at a time', () => {
    const unknown = endpointOf('new')
    assert.deepEqual(chosen(measured('fast', 1), unknown), ['new'])

    unknown.active = 1

    assert.deepEqual(chosen(measured('fast', 1), unknown), ['fast'])
  })

  it('gives twice the weight to one that may do twice as much', () => {
    const heavy = endpointOf('heavy', { weight: 2 })
    heavy.latency.observe(5, performance.now())
    heavy.active = 2
    assert.deepEqual(chosen(heavy, measured('light', 5, 1)), ['heavy'])
  })
})

describe('roundRobin', () => {
  it('takes turns', () => {
    const picker = filled(roundRobin(noSlowStart, true), endpointsOf(3))
    const turn = Array.from({ length: 6 }, () => picker.pick(head, undefined)?.identity)
    assert.deepEqual(turn.slice(0, 3), turn.slice(3))
    assert.equal(new Set(turn).size, 3)
  })

  it('follows weights exactly, the heavy ones spread between the light ones', () => {
    const endpoints = [endpointOf('a', { weight: 5 }), endpointOf('b'), endpointOf('c')]
    const picker = filled(roundRobin(noSlowStart, true), endpoints)
    const turn = Array.from({ length: 700 }, () => picker.pick(head, undefined)?.identity ?? '')
    for (const [name, share] of [
      ['a', 500],
      ['b', 100],
      ['c', 100],
    ] as const)
      assert.ok(Math.abs(turn.filter((one) => one === name).length - share) <= 1)
    assert.doesNotMatch(turn.join(''), /a{6}|bb|cc/)
  })
})

describe('slow start', () => {
  it('gives a new endpoint its share little by little', () => {
    const weightAt = weightWith({ windowMs: 1_000, aggression: 1, minWeightPercent: 10 })
    const endpoint = endpointOf('new', { joinedAt: 5_000, weight: 2 })
    assert.deepEqual(
      [5_000, 5_050, 5_500, 6_000, 9_000].map((now) => weightAt(endpoint, now)),
      [0.2, 0.2, 1, 2, 2],
    )
    const eager = weightWith({ windowMs: 1_000, aggression: 2, minWeightPercent: 10 })
    assert.equal(eager(endpoint, 5_250), 1)
  })

  it('shows in the turns of a round robin', () => {
    const weightAt = weightWith({ windowMs: 1_000_000, aggression: 1, minWeightPercent: 10 })
    const endpoints = [endpointOf('old'), endpointOf('new', { joinedAt: performance.now() })]
    const picker = filled(roundRobin(weightAt, false), endpoints)
    const counts = counted(1_100, () => picker.pick(head, undefined))
    assert.ok(Math.abs((counts.new ?? 0) - 100) <= 3, JSON.stringify(counts))
  })
})
