import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '@weft/control-plane/cli/broker'
import {
  App,
  createTopic,
  readTopic,
  snapshotOf,
  startBridge,
  startWorld,
  subscriptionEntry,
  topicEntry,
} from './world.ts'

const EVENTS = 300

test('a broker that dies, and one that is silent for longer than a session, cost repetitions at most', async () => {
  await using world = await startWorld()
  await createTopic(world, 'orders', 2)
  await createTopic(world, 'orders.dlt')
  const acknowledged: number[] = []
  let paceMs = 10
  await using app = await App.start(async ({ body }) => {
    await new Promise((resolve) => setTimeout(resolve, paceMs))
    acknowledged.push(Number(String(body)))
    return 204
  })
  const snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics: [topicEntry('orders')],
    subscriptions: [subscriptionEntry('orders', { maxInFlight: 1 })],
  })
  const send = async (from: number) => {
    const producer = world.kafka.producer()
    await producer.connect()
    const messages = Array.from({ length: EVENTS }, (_, event) => ({
      key: `k${event % 7}`,
      value: String(from + event),
    }))
    await producer.send({ topic: 'orders', messages })
    await producer.disconnect()
  }
  const distinct = () => new Set(acknowledged).size

  await send(0)
  await using bridge = await startBridge(snapshots, { appPort: app.port })
  await app.until(() => distinct() > 50)
  await world.broker.stop(0)
  const again = await startBroker({ dataDir: world.dataDir, port: world.broker.port })
  await app.until(() => distinct() === EVENTS, 60_000)

  await send(EVENTS)
  await app.until(() => distinct() > EVENTS + 50)
  // So slow that there is work left in memory when the session ends.
  paceMs = 150
  again.process.kill('SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 11_000))
  const atFence = acknowledged.length
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  assert.ok(acknowledged.length - atFence <= 2, 'nothing is begun after the session has ended')
  assert.ok(distinct() < 2 * EVENTS)
  again.process.kill('SIGCONT')
  paceMs = 10
  await app.until(() => distinct() === 2 * EVENTS, 60_000)

  assert.deepEqual(await readTopic(world, 'orders.dlt'), [])
  await bridge.drain(3_000)
  await again.stop(5_000)
})
