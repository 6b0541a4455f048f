import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startBroker } from '@weft/control-plane/cli/broker'
import { ending } from '../../process/ending.ts'

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

/** Runs the command as a person does, and takes its last line. It exits 0 only if its own checks held. */
async function once(env: Record<string, string> = {}): Promise<Result> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', DEMO, '--once'],
    { maxBuffer: 16 * 1024 * 1024, env: { ...process.env, ...env } },
  )
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Result
}

function assertWhole(result: Result): void {
  assert.equal(result.status, 'paid')
  assert.match(result.orderId, /^[0-9a-f-]{36}$/)
  assert.match(result.traceId, /^[0-9a-f]{32}$/)
  // One more for each send that a client tried again.
  assert.ok(result.spans >= 9, `${result.spans} spans`)
  assert.deepEqual([...result.services].sort(), ['billing-service', 'order-service', 'product-service'])
  assert.deepEqual([...result.topics].sort(), ['orders', 'payments'])
  assert.deepEqual(result.denied, { http: 403, kafka: 'TOPIC_AUTHORIZATION_FAILED' })
}

// The command checks its own run: the order is paid, the trace has every span under its right parent, a declined card
// ends in a cancelled order with its stock given back, and both planes refuse billing-service.
test('npm run demo -- --once plays the whole flow, accounts for it, and ends with one JSON object', async () => {
  assertWhole(await once())
})

test('with KAFKA_BROKERS it plays on that broker, and no app goes round its sidecar', async (t) => {
  const end = ending(t)
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-broker-'))
  end.defer(() => rm(dataDir, { recursive: true, force: true }))
  const broker = await startBroker({ dataDir })
  end.defer(() => broker.stop())

  assertWhole(await once({ KAFKA_BROKERS: broker.bootstrapServers.join(',') }))
})
