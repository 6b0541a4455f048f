import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '@weft/control-plane/cli/broker'
import { createTopic, readTopic, snapshotOf, startBridge, startWorld, topicEntry } from './world.ts'

test('no event is answered 2xx that is not in the log, whatever happens to the broker', async () => {
  await using world = await startWorld()
  await createTopic(world, 'orders', 3)
  const snapshots = snapshotOf(world.broker.bootstrapServers, { topics: [topicEntry('orders')] })
  await using bridge = await startBridge(snapshots)
  const acknowledged: string[] = []
  const slowest = { ms: 0 }
  let number = 0
  let running = true

  const publish = async (): Promise<number> => {
    const event = String(number++)
    const started = Date.now()
    const response = await fetch(`${bridge.url}/v1/topics/orders/events`, {
      method: 'POST',
      body: event,
      headers: { 'weft-key': `key-${number % 10}`, 'weft-timeout-ms': '1500' },
    })
    await response.text()
    slowest.ms = Math.max(slowest.ms, Date.now() - started)
    if (response.status === 200) acknowledged.push(event)
    else assert.equal(response.headers.get('retry-after'), '1')
    return response.status
  }
  const statuses = new Map<number, number>()
  const publisher = async () => {
    while (running) {
      const status = await publish()
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const publishers = Array.from({ length: 8 }, publisher)
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  await until(() => acknowledged.length > 200)
  await world.broker.stop(0) // SIGKILL follows at once: requests are cut off in the middle
  await until(() => (statuses.get(503) ?? 0) > 50)
  const before = acknowledged.length
  const again = await startBroker({ dataDir: world.dataDir, port: world.broker.port })
  await until(() => acknowledged.length > before + 200)
  again.process.kill('SIGSTOP') // there, and silent
  const frozenAt = statuses.get(503) ?? 0
  await until(() => (statuses.get(503) ?? 0) > frozenAt + 8)
  again.process.kill('SIGCONT')
  const thawed = acknowledged.length
  await until(() => acknowledged.length > thawed + 200)
  running = false
  await Promise.all(publishers)

  assert.deepEqual(new Set(statuses.keys()), new Set([200, 503]))
  assert.ok(slowest.ms < 3_500, `no answer took longer than its timeout: ${slowest.ms} ms`)
  const stored = new Set((await readTopic(world, 'orders')).map(({ value }) => value))
  assert.deepEqual(
    acknowledged.filter((event) => !stored.has(event)),
    [],
  )
  await bridge.drain(2_000)
  await again.stop(5_000)
})
