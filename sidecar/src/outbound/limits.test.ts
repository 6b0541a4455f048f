import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { call } from './calling.test-support.ts'
import { serviceOf, startPair } from './pair.test-support.ts'
import { until } from './until.test-support.ts'

describe('a limit of requests in flight', () => {
  it('refuses the next one at once, counts over snapshots, and gives the place back', async () => {
    const waiting: ServerResponse[] = []
    const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    await using pair = await startPair({
      app(_, answer) {
        arrived[waiting.push(answer) - 1]?.resolve()
      },
      traffic: { maxRequests: 2 },
    })
    const first = call(pair.outbound.port)
    const second = call(pair.outbound.port)
    await Promise.all(arrived.map(({ promise }) => promise))

    pair.outboundSnapshots.change({ services: [serviceOf([pair.endpoint], { maxRequests: 2 })] })
    const { status, problem, headers } = await call(pair.outbound.port)

    assert.deepEqual([status, problem.code, headers['retry-after']], [503, 'WEFT3007', '1'])
    assert.match(String(problem.detail), /at most 2 requests in flight/)
    for (const answer of waiting) answer.end()
    assert.deepEqual([(await first).status, (await second).status], [200, 200])
    const third = call(pair.outbound.port)
    await until(() => waiting.length === 3)
    waiting[2]?.end()
    assert.equal((await third).status, 200)
  })

  it('is no limit where it is 0', async () => {
    await using pair = await startPair()
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(pair.outbound.port)))
    assert.ok(answers.every(({ status }) => status === 200))
  })
})
