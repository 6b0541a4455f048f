import type { SlowStart } from '@weft/schemas/snapshot'
import type { LiveEndpoint } from '../endpoint.ts'

/** Share of the load of an endpoint beside the others', at a moment. */
export type WeightAt = (endpoint: LiveEndpoint, now: number) => number

/** Envoy's slow start: a new endpoint has `(age / window) ^ (1 / aggression)` of its weight. */
export function weightWith({ windowMs, aggression, minWeightPercent }: SlowStart): WeightAt {
  if (windowMs === 0) return ({ weight }) => weight
  return ({ weight, joinedAt }, now) => {
    const age = now - joinedAt
    if (age >= windowMs) return weight
    return weight * Math.max(minWeightPercent / 100, (age / windowMs) ** (1 / aggression), LEAST_SHARE)
  }
}

/** A weight of 0 would never be asked, and so never be found to be fast. */
const LEAST_SHARE = 0.01
