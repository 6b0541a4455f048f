/**
 * Power of two choices: of two endpoints drawn at random the one that costs less, that is the requests which it has in flight
 * times the time that it takes. As good as looking at all of them, at the price of looking at two.
 */
import type { LiveEndpoint } from '../endpoint.ts'
import { draw, EMPTY_LEVEL, type Picker } from './picker.ts'
import type { WeightAt } from './weight.ts'

export function leastRequest(weightAt: WeightAt): Picker {
  let { usable } = EMPTY_LEVEL

  /** An endpoint that is idle and was never asked costs nothing: one request at a time finds out what it is like. */
  const costOf = (endpoint: LiveEndpoint, now: number): number =>
    endpoint.active === 0 && !endpoint.latency.isMeasured
      ? 0
      : (endpoint.latency.at(now) * (endpoint.active + 1)) / weightAt(endpoint, now)

  return {
    update(level) {
      usable = level.usable
    },
    pick(_head, tried) {
      const count = usable.length
      if (count < 2) return usable[0]
      const first = draw(count)
      const second = draw(count - 1)
      const one = usable[first]
      const other = usable[second >= first ? second + 1 : second]
      if (one === undefined || other === undefined || one === tried) return other
      if (other === tried) return one
      const now = performance.now()
      return costOf(one, now) <= costOf(other, now) ? one : other
    },
  }
}
