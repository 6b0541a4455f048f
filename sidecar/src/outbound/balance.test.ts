import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { DEFAULT_TRAFFIC, type LoadBalancing } from '@weft/schemas/snapshot'
import { call } from './calling.test-support.ts'
import { startFleet } from './fleet.test-support.ts'

const says =
  (text: string, status = 200): RequestListener =>
  (_, answer) =>
    answer.writeHead(status).end(text)
const balancing = (part: Partial<LoadBalancing>) => ({
  loadBalancing: { ...DEFAULT_TRAFFIC.loadBalancing, ...part },
})
const noRetry = { retry: { ...DEFAULT_TRAFFIC.retry, attempts: 0 } }

async function answers(port: number, count: number, user = ''): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {}
  for (let n = 0; n < count; n++) {
    const { body } = await call(port, { headers: { 'x-user': user } })
    counts[body] = (counts[body] ?? 0) + 1
  }
  return counts
}

describe('balancing', () => {
  it('by round robin follows weights', async () => {
    const members = [{ app: says('heavy'), weight: 3 }, { app: says('light') }]
    await using fleet = await startFleet(members, balancing({ policy: 'roundRobin' }))

    assert.deepEqual(await answers(fleet.port, 40), { heavy: 30, light: 10 })
  })

  it('by hash keeps a user with one endpoint, over snapshots, until that endpoint is gone', async () => {
    const members = ['a', 'b', 'c', 'd'].map((name) => ({ app: says(name) }))
    await using fleet = await startFleet(
      members,
      balancing({ policy: 'maglev', hashOn: [{ header: 'x-user' }] }),
    )
    const [before = ''] = Object.keys(await answers(fleet.port, 1, 'alice'))

    fleet.change([...fleet.endpoints])

    assert.deepEqual(await answers(fleet.port, 5, 'alice'), { [before]: 5 })
    fleet.change(fleet.endpoints.filter((_, index) => index !== 'abcd'.indexOf(before)))
    assert.equal((await answers(fleet.port, 5, 'alice'))[before], undefined)
  })

  it('to a subset goes by label, for requests with the header', async () => {
    const members = [
      { app: says('v1'), labels: { version: 'v1' } },
      { app: says('v2'), labels: { version: 'v2' } },
    ]
    const beta = { name: 'x-user', value: 'beta' }
    await using fleet = await startFleet(members, {
      subsets: [
        { name: 'v2', labels: { version: 'v2' }, headers: [beta], fallback: 'none' },
        { name: 'v1', labels: { version: 'v1' }, headers: [], fallback: 'none' },
      ],
    })

    assert.deepEqual(await answers(fleet.port, 10, 'beta'), { v2: 10 })
    assert.deepEqual(await answers(fleet.port, 10, 'alice'), { v1: 10 })
  })
})

describe('outlier detection', () => {
  it('takes out the endpoint that fails, counts it, and remembers it over a snapshot', async () => {
    const members = [{ app: says('well') }, { app: says('ill', 500) }]
    await using fleet = await startFleet(members, { ...balancing({ policy: 'roundRobin' }), ...noRetry })

    assert.deepEqual(await answers(fleet.port, 10), { well: 5, ill: 5 })

    assert.deepEqual(await answers(fleet.port, 10), { well: 10 })
    fleet.change([...fleet.endpoints])
    assert.deepEqual(await answers(fleet.port, 10), { well: 10 })
    const { values } = await fleet.pair.metrics.counter('weft_endpoint_ejections_total').get()
    assert.deepEqual(
      values.map(({ labels, value }) => ({ ...labels, value })),
      [{ destination: 'server', reason: 'consecutive-failures', value: 1 }],
    )
  })

  it('does not take out the only endpoint', async () => {
    await using fleet = await startFleet([{ app: says('ill', 500) }], noRetry)

    assert.deepEqual(await answers(fleet.port, 10), { ill: 10 })
  })
})
