import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RateLimit } from '@weft/schemas/snapshot'
import { call } from '../outbound/calling.test-support.ts'
import { type Pair, startPair } from '../outbound/pair.test-support.ts'

/** So slow that no token comes back while a test runs. */
const limitOf = (part: Partial<RateLimit> = {}): RateLimit => ({
  name: 'search',
  paths: [],
  methods: [],
  requests: 2,
  periodMs: 3_600_000,
  burst: 2,
  per: 'caller',
  ...part,
})

const startLimited = (...rateLimits: readonly RateLimit[]) =>
  startPair({ snapshot: { inbound: { rateLimits } } })

async function statuses(pair: Pair, ...paths: readonly string[]): Promise<readonly number[]> {
  const seen: number[] = []
  for (const path of paths) seen.push((await call(pair.outbound.port, { path })).status)
  return seen
}

describe('a rate limit', () => {
  it('answers 429 beyond it, with Retry-After and the RateLimit fields', async () => {
    await using pair = await startLimited(limitOf())

    const first = await call(pair.outbound.port)
    assert.equal(first.status, 200)
    assert.equal(first.headers['ratelimit-policy'], '"search";q=2;w=3600')
    assert.equal(first.headers.ratelimit, '"search";r=1;t=1800')
    await call(pair.outbound.port)
    const third = await call(pair.outbound.port)

    assert.deepEqual([third.status, third.problem.code, third.problem.retryable], [429, 'WEFT3013', true])
    assert.equal(third.headers['retry-after'], '1800')
    assert.equal(third.headers.ratelimit, '"search";r=0;t=1800')
    const { values } = await pair.metrics.counter('weft_rate_limited_total').get()
    assert.deepEqual(values[0]?.labels, { source: 'client', destination: 'server', limit: 'search' })
  })

  it('of some paths holds for every spelling of them, and for no others', async () => {
    await using pair = await startLimited(limitOf({ paths: ['/api/*'], requests: 1, burst: 1 }))

    const seen = await statuses(pair, '/other', '/api/a?x=1', '/api/b', '/%61pi/b', '//api/./b', '/other')

    assert.deepEqual(seen, [200, 200, 429, 429, 429, 200])
  })

  it('of a method leaves the others alone', async () => {
    await using pair = await startLimited(limitOf({ methods: ['POST'], requests: 1, burst: 1 }))

    assert.equal((await call(pair.outbound.port, { method: 'POST' })).status, 200)
    assert.equal((await call(pair.outbound.port, { method: 'POST' })).status, 429)
    assert.equal((await call(pair.outbound.port)).status, 200)
  })

  it('beside another takes of both or of none', async () => {
    const narrow = limitOf({ name: 'narrow', paths: ['/a'], burst: 1 })
    await using pair = await startLimited(narrow, limitOf({ name: 'wide', burst: 3, per: 'all' }))

    assert.deepEqual(await statuses(pair, '/a', '/a', '/a', '/b', '/b', '/b'), [200, 429, 429, 200, 200, 429])
  })

  it('is no pardon when a snapshot comes that does not change it', async () => {
    await using pair = await startLimited(limitOf())
    await statuses(pair, '/', '/')

    pair.inboundSnapshots.change({ inbound: { rateLimits: [limitOf()] } })
    assert.deepEqual(await statuses(pair, '/'), [429])

    pair.inboundSnapshots.change({ inbound: { rateLimits: [limitOf({ burst: 3 })] } })
    assert.deepEqual(await statuses(pair, '/'), [200])
  })

  it('does not count what the policy refuses', async () => {
    await using pair = await startPair({
      snapshot: { defaultAction: 'deny', inbound: { rateLimits: [limitOf()] } },
    })
    assert.deepEqual(await statuses(pair, '/', '/', '/'), [403, 403, 403])

    pair.inboundSnapshots.change({ defaultAction: 'allow' })

    assert.deepEqual(await statuses(pair, '/'), [200])
  })
})
