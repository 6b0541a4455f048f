import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const DEMO = join(import.meta.dirname, '../../../deploy/demo/main.ts')

interface Result {
  readonly orderId: string
  readonly status: string
  readonly traceId: string
  readonly spans: number
  readonly services: readonly string[]
  readonly topics: readonly string[]
  readonly denied: { readonly http: number; readonly kafka: string }
}

// The command checks its own run: the order is paid, the trace has every span under its right parent, a declined card
// ends in a cancelled order with its stock given back, and both planes refuse billing-service.
test('npm run demo -- --once plays the whole flow, accounts for it, and ends with one JSON object', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', DEMO, '--once'],
    {
      maxBuffer: 16 * 1024 * 1024,
    },
  )

  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Result
  assert.equal(result.status, 'paid')
  assert.match(result.orderId, /^[0-9a-f-]{36}$/)
  assert.match(result.traceId, /^[0-9a-f]{32}$/)
  assert.equal(result.spans, 9)
  assert.deepEqual([...result.services].sort(), ['billing-service', 'order-service', 'product-service'])
  assert.deepEqual([...result.topics].sort(), ['orders', 'payments'])
  assert.deepEqual(result.denied, { http: 403, kafka: 'TOPIC_AUTHORIZATION_FAILED' })
})
