/** What all balancers have in common: they choose one of the endpoints of a level, for a request. */
import type { RequestHead } from '../../transport/exchange.ts'
import type { LiveEndpoint } from '../endpoint.ts'

/** Endpoints that are used alike. Replaced as a whole when its endpoints, or their health, change. */
export interface Level {
  readonly members: readonly LiveEndpoint[]
  /** Those of the members that may be chosen: the healthy ones, or in a panic all. Never empty where `members` is not. */
  readonly usable: readonly LiveEndpoint[]
  readonly isPanic: boolean
}

export interface Picker {
  /** Called before the first request, and off the request path when members change. */
  update(level: Level): void
  /** Never the endpoint just tried, where there is another. Undefined where there is none at all. */
  pick(head: RequestHead, tried: object | undefined): LiveEndpoint | undefined
}

export const EMPTY_LEVEL: Level = { members: [], usable: [], isPanic: false }

/** An index from 0 to `below` - 1. */
export const draw = (below: number): number => Math.floor(Math.random() * below)
