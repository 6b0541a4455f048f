import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { headOf } from '../request-head.test-support.ts'
import { RecordedService, recordedCall } from './recorded.test-support.ts'
import { refusing, split } from './split.ts'

/** Upper limits of chi-square at p = 0.00001 by degrees of freedom: a fair split fails once in a hundred thousand runs. */
const CHI_SQUARE = [0, 19.51, 23.03, 25.9] as const
const REQUESTS = 10_000

function counts(weights: readonly number[]): readonly number[] {
  const backends = weights.map((weight) => ({ service: new RecordedService(), weight }))
  const service = split(backends, 'r')
  for (let n = 0; n < REQUESTS; n++) recordedCall(service, headOf({}))
  return backends.map(({ service: { heads } }) => heads.length)
}

describe('a split', () => {
  it('keeps to its weights over 10,000 requests', () => {
    for (const weights of [
      [80, 10, 10],
      [1, 1],
      [1, 2, 3, 4],
      [999_999, 1_000_000],
      [1, 999],
    ]) {
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      const chiSquare = counts(weights).reduce((sum, count, index) => {
        const expected = (REQUESTS * (weights[index] ?? 0)) / total
        return sum + (count - expected) ** 2 / expected
      }, 0)
      assert.ok(chiSquare < (CHI_SQUARE[weights.length - 1] ?? 0), `${weights.join()}: ${chiSquare}`)
    }
  })

  it('sends nothing to a weight of 0, and costs nothing where one backend has all', () => {
    assert.deepEqual(counts([0, 5, 0]), [0, REQUESTS, 0])
    const service = new RecordedService()
    assert.equal(split([{ service, weight: 3 }], 'r'), service)
  })

  it('is 500 where no backend has a weight, or there is none', () => {
    for (const backends of [[], [{ service: new RecordedService(), weight: 0 }]])
      assert.throws(() => recordedCall(split(backends, 'HTTPRoute default/r rule 0'), headOf({})), {
        code: 'no_backend',
        message: 'expected a backend with a weight above 0; HTTPRoute default/r rule 0 has none',
      })
  })

  it('is 500 for the share of a backend that is not there', () => {
    const service = split(
      [
        { service: new RecordedService(), weight: 1 },
        { service: refusing('not there', 'x'), weight: 1 },
      ],
      'r',
    )
    let refused = 0
    for (let n = 0; n < REQUESTS; n++) {
      try {
        recordedCall(service, headOf({}))
      } catch {
        refused++
      }
    }
    assert.ok((refused - REQUESTS / 2) ** 2 / (REQUESTS / 4) < CHI_SQUARE[1], String(refused))
  })
})
