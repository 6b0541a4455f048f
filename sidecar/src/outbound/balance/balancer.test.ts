import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_TRAFFIC, type LoadBalancing, type Subset, ZONE_LABEL } from '@weft/schemas/snapshot'
import type { LiveEndpoint } from '../endpoint.ts'
import { headOf } from '../request-head.test-support.ts'
import { Balancer } from './balancer.ts'
import { counted, endpointOf } from './endpoints.test-support.ts'

const head = headOf({})

interface Said {
  readonly loadBalancing?: Partial<LoadBalancing>
  readonly subsets?: readonly Subset[]
  readonly zone?: string
}

function balancerOf(endpoints: readonly LiveEndpoint[], said: Said = {}): Balancer {
  const balancer = new Balancer()
  const loadBalancing: LoadBalancing = {
    ...DEFAULT_TRAFFIC.loadBalancing,
    policy: 'random',
    ...said.loadBalancing,
  }
  balancer.update(
    { loadBalancing, subsets: said.subsets ?? [], zone: said.zone, sourceIdentity: 'caller' },
    endpoints,
  )
  return balancer
}

const inZone = (zone: string, count: number): LiveEndpoint[] =>
  Array.from({ length: count }, (_, n) => endpointOf(`${zone}-${n}`, { labels: { [ZONE_LABEL]: zone } }))

function fail(balancer: Balancer, ...endpoints: readonly LiveEndpoint[]): void {
  for (const endpoint of endpoints) endpoint.failedCheck = 'it answered 500'
  balancer.refresh()
}

const chosen = (balancer: Balancer, request = head): readonly string[] =>
  Object.keys(counted(500, () => balancer.pick(request, undefined))).sort()

/** Of 10,000 requests. */
function zoneShares(balancer: Balancer): Readonly<Record<string, number>> {
  const shares: Record<string, number> = {}
  for (const [name, count] of Object.entries(counted(10_000, () => balancer.pick(head, undefined)))) {
    const zone = name.split('-')[0] ?? ''
    shares[zone] = (shares[zone] ?? 0) + count
  }
  return shares
}

describe('the panic threshold', () => {
  const four = () => ['a', 'b', 'c', 'd'].map((name) => endpointOf(name))

  it('uses the healthy endpoints while enough of them are left', () => {
    const endpoints = four()
    const balancer = balancerOf(endpoints)
    fail(balancer, ...endpoints.slice(0, 2))
    assert.deepEqual(chosen(balancer), ['c', 'd'])
  })

  it('uses all where too few are healthy', () => {
    const endpoints = four()
    const balancer = balancerOf(endpoints)
    fail(balancer, ...endpoints.slice(0, 3))
    assert.deepEqual(chosen(balancer), ['a', 'b', 'c', 'd'])
  })

  it('of 0 refuses where none is healthy', () => {
    const endpoints = four()
    const balancer = balancerOf(endpoints, { loadBalancing: { panicThresholdPercent: 0 } })
    fail(balancer, ...endpoints)
    assert.deepEqual(chosen(balancer), ['none'])
  })
})

describe('zones', () => {
  const locality = { prefer: 'zone', failover: ['near'] } as const

  it('keep all traffic in the own one while it is healthy enough', () => {
    const [own, near, far] = [inZone('own', 10), inZone('near', 10), inZone('far', 10)]
    const balancer = balancerOf([...far, ...near, ...own], { loadBalancing: { locality }, zone: 'own' })
    assert.deepEqual(zoneShares(balancer), { own: 10_000 })

    fail(balancer, ...own.slice(0, 2))

    assert.deepEqual(zoneShares(balancer), { own: 10_000 })
  })

  it('pass on what the own one cannot carry, by the share of it that is healthy', () => {
    const [own, near, far] = [inZone('own', 10), inZone('near', 10), inZone('far', 10)]
    const balancer = balancerOf([...own, ...near, ...far], { loadBalancing: { locality }, zone: 'own' })

    fail(balancer, ...own.slice(0, 5))

    const shares = zoneShares(balancer)
    assert.ok(Math.abs((shares.own ?? 0) - 7_000) < 300, JSON.stringify(shares))
    assert.equal(shares.far, undefined)
    fail(balancer, ...own, ...near)
    assert.deepEqual(zoneShares(balancer), { far: 10_000 })
  })

  it('do not matter to a caller that has none', () => {
    const balancer = balancerOf([...inZone('a', 2), ...inZone('b', 2)], { loadBalancing: { locality } })
    assert.deepEqual(chosen(balancer), ['a-0', 'a-1', 'b-0', 'b-1'])
  })
})

describe('subsets', () => {
  const v1 = endpointOf('v1', { labels: { version: 'v1' } })
  const v2 = endpointOf('v2', { labels: { version: 'v2' } })
  const beta = headOf({ fields: ['x-version', 'v2'] })
  const subset = (part: Partial<Subset> = {}): Subset => ({
    name: 'v2',
    labels: { version: 'v2' },
    headers: [{ name: 'x-version', value: 'v2' }],
    fallback: 'none',
    ...part,
  })

  it('take the requests whose headers match, and leave the others to all endpoints', () => {
    const balancer = balancerOf([v1, v2], { subsets: [subset()] })
    assert.deepEqual(chosen(balancer, beta), ['v2'])
    assert.deepEqual(chosen(balancer), ['v1', 'v2'])
  })

  it('without endpoints refuse, unless any may stand in', () => {
    assert.deepEqual(chosen(balancerOf([v1], { subsets: [subset()] }), beta), ['none'])
    assert.deepEqual(chosen(balancerOf([v1], { subsets: [subset({ fallback: 'any' })] }), beta), ['v1'])
  })

  it('without headers take every request; the first that matches counts', () => {
    const stable = subset({ name: 'v1', labels: { version: 'v1' }, headers: [] })
    const balancer = balancerOf([v1, v2], { subsets: [subset(), stable] })
    assert.deepEqual(chosen(balancer), ['v1'])
    assert.deepEqual(chosen(balancer, beta), ['v2'])
  })
})
