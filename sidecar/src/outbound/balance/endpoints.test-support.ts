/** Endpoints without a network, and what is chosen of them, for tests of balancers. */
import type { Service } from '../../transport/exchange.ts'
import { LiveEndpoint } from '../endpoint.ts'
import { headOf } from '../request-head.test-support.ts'
import type { Level, Picker } from './picker.ts'

const noPool: Service = {
  call() {
    throw new Error('not called')
  },
}

export interface EndpointParts {
  readonly labels?: Readonly<Record<string, string>>
  readonly weight?: number
  readonly joinedAt?: number
}

/** Told apart by its identity, which is `name`. */
export function endpointOf(name: string, parts: EndpointParts = {}): LiveEndpoint {
  const { labels = {}, weight, joinedAt = Number.NEGATIVE_INFINITY } = parts
  const endpoint = {
    address: '10.0.0.1',
    port: 1,
    identity: name,
    labels,
    ...(weight !== undefined && { weight }),
  }
  return new LiveEndpoint(endpoint, noPool, joinedAt)
}

export const endpointsOf = (count: number): LiveEndpoint[] =>
  Array.from({ length: count }, (_, n) => endpointOf(`endpoint-${n}`))

/** All of them healthy, unless they say otherwise. */
export const levelOf = (members: readonly LiveEndpoint[]): Level => ({
  members,
  usable: members.filter(({ isHealthy }) => isHealthy),
  isPanic: false,
})

export function filled(picker: Picker, members: readonly LiveEndpoint[]): Picker {
  picker.update(levelOf(members))
  return picker
}

export const withUser = (user: number | string) => headOf({ fields: ['x-user', String(user)] })

type Choice = (request: number) => LiveEndpoint | undefined

/** How often each was chosen, by name. */
export function counted(requests: number, choose: Choice): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let n = 0; n < requests; n++) {
    const name = choose(n)?.identity ?? 'none'
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** Pearson's statistic of what came against equal shares. */
export function chiSquare(counts: Readonly<Record<string, number>>, kinds: number): number {
  const values = Object.values(counts)
  const expected = values.reduce((sum, value) => sum + value, 0) / kinds
  const missing = (kinds - values.length) * expected
  return values.reduce((sum, value) => sum + (value - expected) ** 2 / expected, missing)
}
