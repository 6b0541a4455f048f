/**
 * Consistent hashing (Karger): every endpoint has points on a ring of 2^32, and a request goes to the next one after its hash.
 *
 *     points   │ hash of the point (32 bits) · slot of its endpoint (20 bits) │ …   one sorted Float64Array
 *     slots    [ endpoint, endpoint, undefined (free), … ]
 *
 * When an endpoint comes or goes only its own points are put in or taken out, in one pass. Those that are ill keep theirs: a request
 * walks on to the next healthy one, so that nothing moves but what has to.
 */
import type { LiveEndpoint } from '../endpoint.ts'
import { hashText, mix } from './hash.ts'
import type { HashOf } from './hash-key.ts'
import { EMPTY_LEVEL, type Level, type Picker } from './picker.ts'

/** For a weight of 1: the loads of endpoints then differ by some 12 %; Maglev is evener. */
const POINTS = 64
/** 16 MB. Beyond 32,000 endpoints each has fewer points. */
const MAX_POINTS = 2 ** 21
const SLOTS = 2 ** 20

export function ringHash(hashOf: HashOf): Picker {
  const ring = new Ring()
  let level = EMPTY_LEVEL
  return {
    update(now) {
      if (now.members !== level.members) ring.update(now.members)
      level = now
    },
    pick(head, tried) {
      const { usable } = level
      return usable.length < 2 ? usable[0] : ring.next(hashOf(head), level, tried)
    },
  }
}

class Ring {
  #points = new Float64Array(0)
  #slots: (LiveEndpoint | undefined)[] = []
  #placed = new Map<LiveEndpoint, Placed>()
  #pointsOfWeight = POINTS

  update(members: readonly LiveEndpoint[]): void {
    const weights = members.reduce((sum, { weight }) => sum + weight, 0)
    const pointsOfWeight = Math.max(1, Math.min(POINTS, Math.floor(MAX_POINTS / weights)))
    if (pointsOfWeight !== this.#pointsOfWeight) {
      this.#points = new Float64Array(0)
      this.#slots = []
      this.#placed = new Map()
      this.#pointsOfWeight = pointsOfWeight
    }
    this.#remove(new Set(members))
    this.#add(members.filter((endpoint) => !this.#placed.has(endpoint)))
  }

  #remove(members: ReadonlySet<LiveEndpoint>): void {
    const gone = new Set<number>()
    for (const [endpoint, { slot, weight }] of this.#placed) {
      if (members.has(endpoint) && endpoint.weight === weight) continue
      gone.add(slot)
      this.#placed.delete(endpoint)
      this.#slots[slot] = undefined
    }
    if (gone.size > 0) this.#points = without(this.#points, gone)
  }

  #add(endpoints: readonly LiveEndpoint[]): void {
    if (endpoints.length === 0) return
    const weights = endpoints.reduce((sum, { weight }) => sum + weight, 0)
    const added = new Float64Array(weights * this.#pointsOfWeight)
    let free = 0
    let at = 0
    for (const endpoint of endpoints) {
      while (this.#slots[free] !== undefined) free++
      this.#slots[free] = endpoint
      this.#placed.set(endpoint, { slot: free, weight: endpoint.weight })
      const seed = hashText(endpoint.key)
      for (let n = 0; n < endpoint.weight * this.#pointsOfWeight; n++)
        added[at++] = mix(seed + Math.imul(n, GOLDEN_RATIO)) * SLOTS + free
    }
    this.#points = merged(this.#points, added.sort())
  }

  /** The first usable endpoint from the hash on. There are at least two. */
  next(hash: number, { isPanic }: Level, tried: object | undefined): LiveEndpoint | undefined {
    const points = this.#points
    let at = firstFrom(points, hash * SLOTS)
    for (let steps = 0; steps < points.length; steps++, at++) {
      if (at >= points.length) at = 0
      const endpoint = this.#slots[slotOf(points[at] as number)]
      if (endpoint !== undefined && endpoint !== tried && (isPanic || endpoint.isHealthy)) return endpoint
    }
    return undefined
  }
}

interface Placed {
  readonly slot: number
  readonly weight: number
}

/** 2^32 divided by it: the points of one endpoint start from numbers that are far from each other. */
const GOLDEN_RATIO = 0x9e3779b9

/** Index of the first point at or after `from`; the length where there is none. */
function firstFrom(points: Float64Array, from: number): number {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((points[middle] as number) < from) low = middle + 1
    else high = middle
  }
  return low
}

/** The remainder; a division by a power of two is exact, and much faster than `%` of numbers this large. */
const slotOf = (point: number): number => point - Math.floor(point / SLOTS) * SLOTS

function without(points: Float64Array, slots: ReadonlySet<number>): Float64Array<ArrayBuffer> {
  const kept = new Float64Array(points.length)
  let count = 0
  for (const point of points) if (!slots.has(slotOf(point))) kept[count++] = point
  return kept.slice(0, count)
}

function merged(some: Float64Array, others: Float64Array): Float64Array<ArrayBuffer> {
  const all = new Float64Array(some.length + others.length)
  let left = 0
  let right = 0
  for (let at = 0; at < all.length; at++) {
    const isLeft =
      right >= others.length || (left < some.length && (some[left] as number) <= (others[right] as number))
    all[at] = (isLeft ? some[left++] : others[right++]) as number
  }
  return all
}
