import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { DEFAULT_TRAFFIC, type RetrySettings } from '@weft/schemas/snapshot'
import type { Fields } from '../transport/exchange.ts'
import { call } from './calling.test-support.ts'
import { startPair } from './pair.test-support.ts'
import { headOf } from './request-head.test-support.ts'
import { retryConditions } from './retry-conditions.ts'

const conditions = (settings: Partial<RetrySettings> = {}) =>
  retryConditions({ ...DEFAULT_TRAFFIC.retry, ...settings })
const answer = (status: number, fields: Fields = []) => ({ status, fields, length: 0 })
const get = headOf({})
const post = headOf({ method: 'POST' })

describe('the default conditions of a retry', () => {
  it('are the status 503 of an idempotent method, and no other status', () => {
    assert.equal(conditions().ofAnswer(get, answer(503)), 'status-503')
    assert.equal(conditions().ofAnswer(post, answer(503)), undefined)
    assert.equal(conditions().ofAnswer(get, answer(500)), undefined)
    assert.equal(conditions().ofAnswer(get, answer(200)), undefined)
  })

  it('are gRPC UNAVAILABLE and CANCELLED where nothing else was answered, of any method', () => {
    assert.equal(conditions().ofAnswer(post, answer(200, ['grpc-status', '14'])), 'unavailable')
    assert.equal(conditions().ofAnswer(post, answer(200, ['grpc-status', '1'])), 'cancelled')
    assert.equal(conditions().ofAnswer(post, answer(200, ['grpc-status', '0'])), undefined)
    assert.equal(conditions().ofAnswer(post, answer(200, ['grpc-status', '8'])), undefined)
  })

  it('are what reached nobody, of any method, and what was not answered, of idempotent ones', () => {
    const reset = new MeshError('upstream_reset', 'x')
    assert.equal(
      conditions().ofFailure(post, new MeshError('connect_failed', 'x'), 'unsent'),
      'connect-failure',
    )
    assert.equal(conditions().ofFailure(post, reset, 'unsent'), 'refused-stream')
    assert.equal(conditions().ofFailure(post, reset, 'unanswered'), undefined)
    assert.equal(conditions().ofFailure(get, reset, 'unanswered'), 'reset')
    assert.equal(conditions().ofFailure(get, reset, 'answered'), undefined)
    assert.equal(conditions().ofFailure(get, new MeshError('overloaded', 'x'), 'unsent'), undefined)
  })
})

describe('a retry', () => {
  it('is made for the conditions of its settings alone', () => {
    const named = conditions({ on: ['gateway-error', '5xx'], statuses: [429] })

    assert.equal(named.ofAnswer(get, answer(502)), 'gateway-error')
    assert.equal(named.ofAnswer(get, answer(500)), '5xx')
    assert.equal(named.ofAnswer(get, answer(429)), 'status-429')
    assert.equal(named.ofAnswer(post, answer(502)), undefined)
    assert.equal(named.ofFailure(get, new MeshError('connect_failed', 'x'), 'unsent'), undefined)
  })

  it('follows an attempt that took too long, until all of them together have', async () => {
    let requests = 0
    await using pair = await startPair({
      app: (_, answered) => void (requests++ > 0 && answered.end('second')),
      // Long enough for the second one on a machine that is busy.
      traffic: { retry: { ...DEFAULT_TRAFFIC.retry, perTryTimeoutMs: 1_000 } },
    })

    const { status, body } = await call(pair.outbound.port)

    assert.deepEqual([status, body, requests], [200, 'second', 2])
    const { values } = await pair.metrics.counter('weft_http_retries_total').get()
    assert.deepEqual(values[0]?.labels, { destination: 'server', reason: 'per-try-timeout' })
  })

  it('does not follow where an attempt of a method that is not idempotent took too long', async () => {
    let requests = 0
    await using pair = await startPair({
      app: () => void requests++,
      traffic: { requestTimeoutMs: 0, retry: { ...DEFAULT_TRAFFIC.retry, perTryTimeoutMs: 1_000 } },
    })

    const { status, problem } = await call(pair.outbound.port, { method: 'POST', body: 'x' })

    assert.deepEqual([status, problem.code, requests], [504, 'WEFT3005', 1])
  })
})
