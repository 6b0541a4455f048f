/**
 * One after the other; with weights by earliest deadline first, as Envoy does it: each endpoint is due again after
 * 1 / weight, so that the heavy ones come more often, and evenly spread between the light ones.
 */
import type { LiveEndpoint } from '../endpoint.ts'
import { draw, type Level, type Picker } from './picker.ts'
import type { WeightAt } from './weight.ts'

interface Turn {
  dueAt: number
  readonly endpoint: LiveEndpoint
}

export function roundRobin(weightAt: WeightAt, isWeightSteady: boolean): Picker {
  let rotation: Rotation = new Rotation([])
  return {
    update({ usable }: Level) {
      const isEven = isWeightSteady && usable.every(({ weight }) => weight === usable[0]?.weight)
      rotation = isEven ? new Rotation(usable) : new Schedule(usable, weightAt)
    },
    pick(_head, tried) {
      const endpoint = rotation.next()
      return endpoint === tried ? rotation.next() : endpoint
    },
  }
}

class Rotation {
  readonly #endpoints: readonly LiveEndpoint[]
  #at: number

  constructor(endpoints: readonly LiveEndpoint[]) {
    this.#endpoints = endpoints
    // Many callers that start at once must not all start with the same endpoint.
    this.#at = draw(endpoints.length)
  }

  next(): LiveEndpoint | undefined {
    const endpoint = this.#endpoints[this.#at]
    this.#at = (this.#at + 1) % Math.max(1, this.#endpoints.length)
    return endpoint
  }
}

/** A binary heap, the turn that is due first on top: O(log n) for each choice. */
class Schedule extends Rotation {
  readonly #heap: Turn[]
  readonly #weightAt: WeightAt

  constructor(endpoints: readonly LiveEndpoint[], weightAt: WeightAt) {
    super([])
    this.#weightAt = weightAt
    const now = performance.now()
    // Each somewhere in its own period, for the same reason.
    this.#heap = endpoints
      .map((endpoint) => ({ endpoint, dueAt: Math.random() / weightAt(endpoint, now) }))
      .sort((a, b) => a.dueAt - b.dueAt)
  }

  override next(): LiveEndpoint | undefined {
    const turn = this.#heap[0]
    if (turn === undefined) return undefined
    turn.dueAt += 1 / this.#weightAt(turn.endpoint, performance.now())
    this.#sink(turn)
    return turn.endpoint
  }

  #sink(turn: Turn): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      const isRight = right !== undefined && left !== undefined && right.dueAt < left.dueAt
      const child = isRight ? right : left
      if (child === undefined || child.dueAt >= turn.dueAt) break
      heap[at] = child
      at = 2 * at + (isRight ? 2 : 1)
    }
    heap[at] = turn
  }
}
