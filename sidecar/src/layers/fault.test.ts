import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, it, mock } from 'node:test'
import { createMetrics } from '@weft/schemas/node/metrics'
import type { FaultInjection } from '@weft/schemas/snapshot'
import { call } from '../outbound/calling.test-support.ts'
import { bodyOf, startPair } from '../outbound/pair.test-support.ts'
import { headOf } from '../outbound/request-head.test-support.ts'
import { until } from '../outbound/until.test-support.ts'
import { ANSWERED, ForwardingResponse, type ResponseHead, type Service } from '../transport/exchange.ts'
import { DelayBudget, injectFaults } from './fault.ts'

const always = { headers: [], abort: { percent: 100, httpStatus: 418 } } satisfies FaultInjection

describe('an injected abort', () => {
  it('answers in the place of the service, is not repeated, and is counted as an answer of our own', async () => {
    let requests = 0
    await using pair = await startPair({
      app: (_, answer) => void answer.end(String(++requests)),
      traffic: { faults: [{ headers: [], abort: { percent: 100, httpStatus: 503 } }] },
    })

    const { status, problem } = await call(pair.outbound.port)

    assert.deepEqual([status, problem.code, problem.status, requests], [503, 'WEFT3014', 503, 0])
    const faults = await pair.metrics.counter('weft_faults_injected_total').get()
    assert.deepEqual(faults.values[0]?.labels, { destination: 'server', kind: 'abort' })
    const counted = await pair.metrics.counter('weft_http_requests_total').get()
    assert.equal(counted.values[0]?.labels.error, 'WEFT3014')
  })

  it('comes to requests with the header, and to no others', async () => {
    await using pair = await startPair({
      traffic: { faults: [{ ...always, headers: [{ name: 'x-user', value: 'jason' }] }] },
    })

    assert.equal((await call(pair.outbound.port, { headers: { 'x-user': 'jason' } })).status, 418)
    assert.equal((await call(pair.outbound.port, { headers: { 'x-user': 'ann' } })).status, 200)
    assert.equal((await call(pair.outbound.port)).status, 200)
  })

  it('of a gRPC status is an answer without messages', async () => {
    await using pair = await startPair({
      traffic: { faults: [{ headers: [], abort: { percent: 100, grpcStatus: 7 } }] },
    })

    const { status, headers, body } = await call(pair.outbound.port, { method: 'POST' })

    assert.deepEqual(
      [status, headers['content-type'], headers['grpc-status'], body],
      [200, 'application/grpc', '7', ''],
    )
  })

  it('comes to its share of 10,000 requests', () => {
    let aborted = 0
    let passed = 0
    class Counting extends ForwardingResponse {
      override onHead(_head: ResponseHead): void {
        aborted++
      }
      override onData(): void {}
      override onEnd(): void {}
    }
    const inner: Service = {
      call() {
        passed++
        return ANSWERED
      },
    }
    const service = injectFaults(inner, {
      faults: [{ headers: [], abort: { percent: 10, httpStatus: 500 } }],
      delays: new DelayBudget(),
      metrics: createMetrics(),
    })

    for (let n = 0; n < 10_000; n++) service.call(headOf({}), new Counting(inner as never))

    assert.equal(aborted + passed, 10_000)
    // Four standard deviations.
    assert.ok(Math.abs(aborted - 1_000) < 120, String(aborted))
  })

  it('without faults is not there', () => {
    const inner: Service = { call: () => ANSWERED }
    assert.equal(
      injectFaults(inner, { faults: [], delays: new DelayBudget(), metrics: createMetrics() }),
      inner,
    )
  })
})

describe('an injected delay', () => {
  it('holds the request back, and then lets it through with its body', async () => {
    await using pair = await startPair({
      app: (sent, answer) => void bodyOf(sent).then((body) => answer.end(body)),
      traffic: { faults: [{ headers: [], delay: { percent: 100, fixedMs: 200 } }] },
    })
    const startedAt = performance.now()
    const body = 'x'.repeat(100_000)

    const answer = await call(pair.outbound.port, { method: 'POST', body })

    assert.ok(performance.now() - startedAt >= 199)
    assert.ok(answer.body === body)
  })

  it('before an abort delays it', async () => {
    await using pair = await startPair({
      traffic: { faults: [{ ...always, delay: { percent: 100, fixedMs: 50 } }] },
    })
    const startedAt = performance.now()

    assert.equal((await call(pair.outbound.port)).status, 418)
    assert.ok(performance.now() - startedAt >= 49)
  })

  it('ends when the caller goes away', async () => {
    let requests = 0
    await using pair = await startPair({
      app: (_, answer) => void answer.end(String(++requests)),
      traffic: { faults: [{ headers: [], delay: { percent: 100, fixedMs: 300_000 } }] },
    })
    const sent = request({ port: pair.outbound.port, headers: { host: 'server' } })
    sent.on('error', () => {})
    sent.end()
    const delayed = pair.metrics.counter('weft_faults_injected_total')
    await until(async () => (await delayed.get()).values.length > 0)

    sent.destroy()

    const counted = pair.metrics.counter('weft_http_requests_total')
    await until(async () => (await counted.get()).values.length > 0)
    assert.deepEqual([(await counted.get()).values[0]?.labels.status, requests], ['499', 0])
  })

  it('holds a bounded number of requests, and lets the others through', () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    let passed = 0
    const inner: Service = {
      call() {
        passed++
        return ANSWERED
      },
    }
    const service = injectFaults(inner, {
      faults: [{ headers: [], delay: { percent: 100, fixedMs: 1_000 } }],
      delays: new DelayBudget(),
      metrics: createMetrics(),
    })
    try {
      for (let n = 0; n < 1_500; n++) service.call(headOf({}), new ForwardingResponse(inner as never))
      assert.equal(passed, 500)
      mock.timers.tick(1_000)
      assert.equal(passed, 1_500)
    } finally {
      mock.timers.reset()
    }
  })
})
