/** Which endpoint of a service a request goes to: subset → level → balancer. Lives as long as the service, across snapshots. */
import type { LoadBalancing, Subset } from '@weft/schemas/snapshot'
import { matchesHeaders } from '../../layers/header-match.ts'
import type { RequestHead } from '../../transport/exchange.ts'
import { LiveEndpoint } from '../endpoint.ts'
import { hashOn } from './hash-key.ts'
import { leastRequest } from './least-request.ts'
import { maglev } from './maglev.ts'
import type { Picker } from './picker.ts'
import { type PriorityOptions, PrioritySet } from './priorities.ts'
import { random } from './random.ts'
import { ringHash } from './ring-hash.ts'
import { roundRobin } from './round-robin.ts'
import { weightWith } from './weight.ts'

export interface BalancerSettings {
  readonly loadBalancing: LoadBalancing
  readonly subsets: readonly Subset[]
  /** Of the caller. */
  readonly zone: string | undefined
  /** SPIFFE id of the caller. */
  readonly sourceIdentity: string
}

interface EndpointGroup {
  /** Undefined: all of the service. */
  readonly subset: Subset | undefined
  readonly set: PrioritySet
}

export class Balancer {
  #settings = ''
  #all: EndpointGroup | undefined
  #subsets: EndpointGroup[] = []
  #endpoints: ReadonlySet<object> = new Set()
  #isStale = false

  /** What a new snapshot says. Tables are made anew for what has changed, here and not when the next request comes. */
  update(settings: BalancerSettings, endpoints: readonly LiveEndpoint[]): void {
    const written = JSON.stringify(settings)
    if (written !== this.#settings || this.#all === undefined) {
      this.#settings = written
      const options = priorityOptions(settings)
      this.#all = { subset: undefined, set: new PrioritySet(options) }
      this.#subsets = settings.subsets.map((subset) => ({ subset, set: new PrioritySet(options) }))
    }
    this.#endpoints = new Set(endpoints)
    this.#all.set.update(endpoints)
    for (const { subset, set } of this.#subsets) set.update(endpoints.filter((one) => isIn(one, subset)))
  }

  /** The health of an endpoint has changed: looked at before the next choice, however many of them do at once. */
  refresh(): void {
    this.#isStale = true
  }

  /** The endpoint that this object is, where it is a healthy one of the service. */
  known(endpoint: object): LiveEndpoint | undefined {
    const isUsable = endpoint instanceof LiveEndpoint && endpoint.isHealthy && this.#endpoints.has(endpoint)
    return isUsable ? endpoint : undefined
  }

  /** Never the endpoint just tried, where there is another. Undefined where there is none to choose from. */
  pick(head: RequestHead, tried: object | undefined): LiveEndpoint | undefined {
    if (this.#isStale) this.#refreshNow()
    for (const { subset, set } of this.#subsets) {
      if (subset === undefined || !matchesHeaders(head.fields, subset.headers)) continue
      const endpoint = set.pick(head, tried)
      if (endpoint !== undefined || subset.fallback === 'none') return endpoint
      break
    }
    return this.#all?.set.pick(head, tried)
  }

  #refreshNow(): void {
    this.#isStale = false
    this.#all?.set.refresh()
    for (const { set } of this.#subsets) set.refresh()
  }
}

const isIn = ({ labels }: LiveEndpoint, subset: Subset | undefined): boolean =>
  Object.entries(subset?.labels ?? {}).every(([name, value]) => labels[name] === value)

function priorityOptions({ loadBalancing, zone, sourceIdentity }: BalancerSettings): PriorityOptions {
  const { locality, panicThresholdPercent } = loadBalancing
  return {
    locality,
    zone,
    panicThresholdPercent,
    newPicker: () => newPicker(loadBalancing, sourceIdentity),
  }
}

function newPicker({ policy, hashOn: keys, slowStart }: LoadBalancing, sourceIdentity: string): Picker {
  switch (policy) {
    case 'leastRequest':
      return leastRequest(weightWith(slowStart))
    case 'roundRobin':
      return roundRobin(weightWith(slowStart), slowStart.windowMs === 0)
    case 'random':
      return random()
    case 'ringHash':
      return ringHash(hashOn(keys, sourceIdentity))
    case 'maglev':
      return maglev(hashOn(keys, sourceIdentity))
  }
}
