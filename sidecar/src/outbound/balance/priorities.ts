/**
 * Levels of endpoints, and how much of the load each gets: all goes to the first while it is healthy enough, and what it cannot
 * carry to the next (Envoy's priority levels, overprovisioning factor and panic mode).
 */
import type { Locality } from '@weft/schemas/snapshot'
import type { RequestHead } from '../../transport/exchange.ts'
import type { LiveEndpoint } from '../endpoint.ts'
import type { Level, Picker } from './picker.ts'

/** Envoy's: a level carries all of its load until fewer than 1 / 1.4 of its endpoints, 71 %, are healthy. */
const OVERPROVISIONING = 1.4

export interface PriorityOptions {
  readonly locality: Locality
  /** Of the caller. */
  readonly zone: string | undefined
  readonly panicThresholdPercent: number
  readonly newPicker: () => Picker
}

interface PriorityLevel {
  readonly members: readonly LiveEndpoint[]
  readonly weights: readonly number[]
  readonly picker: Picker
  load: number
}

export class PrioritySet {
  readonly #options: PriorityOptions
  #levels: PriorityLevel[] = []

  constructor(options: PriorityOptions) {
    this.#options = options
  }

  /** Other endpoints. Levels that stay the same keep what was computed for them. */
  update(endpoints: readonly LiveEndpoint[]): void {
    const before = this.#levels
    this.#levels = levelsOf(endpoints, this.#options).map((members, index) => {
      const known = before[index]
      const weights = members.map(({ weight }) => weight)
      const isSame = areSame(members, known?.members) && areSame(weights, known?.weights)
      return {
        members: isSame && known !== undefined ? known.members : members,
        weights,
        picker: known?.picker ?? this.#options.newPicker(),
        load: 0,
      }
    })
    this.refresh()
  }

  /** The same endpoints, in another state of health. */
  refresh(): void {
    const { panicThresholdPercent } = this.#options
    const healthy = this.#levels.map(({ members }) => members.filter(({ isHealthy }) => isHealthy))
    const shares = this.#levels.map(({ members }, index) => (healthy[index]?.length ?? 0) / members.length)
    const health = shares.map((share) => Math.min(1, share * OVERPROVISIONING))
    const total = health.reduce((sum, value) => sum + value, 0)
    const size = this.#levels.reduce((sum, { members }) => sum + members.length, 0)
    let left = 1
    for (const [index, level] of this.#levels.entries()) {
      const { members, picker } = level
      const isPanic = total < 1 && (shares[index] ?? 0) * 100 < panicThresholdPercent
      const next: Level = { members, usable: isPanic ? members : (healthy[index] ?? []), isPanic }
      picker.update(next)
      // Where all together cannot carry it, each gets its part; where nobody is healthy, as much as it has endpoints.
      if (total >= 1) level.load = Math.min(left, health[index] ?? 0)
      else level.load = total > 0 ? (health[index] ?? 0) / total : members.length / size
      left -= level.load
    }
  }

  pick(head: RequestHead, tried: object | undefined): LiveEndpoint | undefined {
    const [first] = this.#levels
    if (this.#levels.length < 2) return first?.picker.pick(head, tried)
    let drawn = Math.random()
    for (const { load, picker } of this.#levels) {
      drawn -= load
      if (drawn < 0 && load > 0) return picker.pick(head, tried)
    }
    return first?.picker.pick(head, tried)
  }
}

const areSame = <T>(some: readonly T[], others: readonly T[] | undefined): boolean =>
  some.length === others?.length && some.every((one, at) => one === others[at])

/** By zone: the caller's own, those that stand in, in their order, and all others. Levels without endpoints are left out. */
function levelsOf(
  endpoints: readonly LiveEndpoint[],
  { locality, zone }: PriorityOptions,
): readonly (readonly LiveEndpoint[])[] {
  if (endpoints.length === 0) return []
  if (locality.prefer === 'none' || zone === undefined) return [endpoints]
  const order = [zone, ...locality.failover.filter((other) => other !== zone)]
  const levels: LiveEndpoint[][] = [...order, ''].map(() => [])
  for (const endpoint of endpoints) {
    const at = endpoint.zone === undefined ? -1 : order.indexOf(endpoint.zone)
    levels[at === -1 ? order.length : at]?.push(endpoint)
  }
  return levels.filter((level) => level.length > 0)
}
