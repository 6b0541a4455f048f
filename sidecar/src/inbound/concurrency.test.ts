import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { it } from 'node:test'
import { call } from '../outbound/calling.test-support.ts'
import { startPair } from '../outbound/pair.test-support.ts'
import { until } from '../outbound/until.test-support.ts'

it('adaptive concurrency refuses what the app cannot take, and lets others in when it has room', async () => {
  const waiting: ServerResponse[] = []
  const isFull = Promise.withResolvers<void>()
  await using pair = await startPair({
    app(_, answer) {
      if (waiting.push(answer) === 3) isFull.resolve()
    },
    snapshot: {
      inbound: { rateLimits: [], adaptiveConcurrency: { minLimit: 1, maxLimit: 3, rttTolerance: 1.5 } },
    },
  })
  const admitted = Array.from({ length: 3 }, () => call(pair.outbound.port, { method: 'POST' }))
  await isFull.promise

  const { status, problem } = await call(pair.outbound.port, { method: 'POST' })

  assert.deepEqual([status, problem.code], [503, 'WEFT3007'])
  assert.match(String(problem.detail), /the app: expected at most 3 requests at once/)
  for (const answer of waiting.splice(0)) answer.end('done')
  for (const answer of await Promise.all(admitted)) assert.equal(answer.body, 'done')
  const next = call(pair.outbound.port, { method: 'POST' })
  await until(() => waiting.length === 1)
  waiting[0]?.end('next')
  assert.equal((await next).body, 'next')
  const { values } = await pair.metrics.gauge('weft_concurrency_limit').get()
  assert.equal(values[0]?.value, 3)
})
