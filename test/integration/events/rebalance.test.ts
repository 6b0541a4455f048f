import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pace } from 'node:timers/promises'
import {
  App,
  committed,
  createTopic,
  type Delivery,
  eventually,
  readTopic,
  snapshotOf,
  startBridge,
  startWorld,
  subscriptionEntry,
  topicEntry,
  type World,
} from './world.ts'

const KEYS = 20
const EVENTS = 1_000
const PARTITIONS = 6
/** Between one event of each key and the next: the load lasts while members come and go. Nothing is awaited by it. */
const PACE_MS = 100

test('members join and leave under load with an app that fails at random: nothing is skipped, keys stay in order', async () => {
  await using world = await startWorld()
  await createTopic(world, 'orders', PARTITIONS)
  await createTopic(world, 'orders.dlt')
  const acknowledged: Delivery[] = []
  const reply = async (delivery: Delivery) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
    if (Math.random() < 0.1) return Math.random() < 0.5 ? 'drop' : 503
    acknowledged.push(delivery)
    return 204
  }
  await using app = await App.start(reply)
  const settings = { retry: { attempts: 1_000, backoffBaseMs: 1, backoffMaxMs: 20 } }
  const snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics: [topicEntry('orders')],
    subscriptions: [subscriptionEntry('orders', settings)],
  })
  const start = () => startBridge(snapshots, { appPort: app.port })

  await using first = await start()
  const produced = produce(world)
  await app.until((got) => got.length > 100)
  await using second = await start()
  await app.until((got) => got.length > 400)
  await using third = await start()
  await app.until((got) => got.length > 600)
  await first.drain(3_000)
  await second.drain(3_000)
  await produced
  await eventually(async () => (await sumOfCommits(world)) === EVENTS)

  assert.equal(
    new Set(acknowledged.map((each) => String(each.body))).size,
    EVENTS,
    'every event was acknowledged',
  )
  assertOrderPerKey(acknowledged)
  assert.deepEqual(await readTopic(world, 'orders.dlt'), [])
  // Redelivery after a member has gone is at-least-once; it is not the rule.
  assert.ok(
    acknowledged.length < EVENTS * 1.2,
    `${acknowledged.length} acknowledgements for ${EVENTS} events`,
  )
  await third.drain(3_000)
})

async function produce(world: World): Promise<void> {
  const producer = world.kafka.producer()
  await producer.connect()
  for (let event = 0; event < EVENTS; event += KEYS) {
    const messages = Array.from({ length: KEYS }, (_, key) => ({
      key: `key-${key}`,
      value: String(event + key),
    }))
    await producer.send({ topic: 'orders', messages })
    await pace(PACE_MS)
  }
  await producer.disconnect()
}

async function sumOfCommits(world: World): Promise<number> {
  const offsets = await committed(world, 'orders-group', 'orders')
  return [...offsets.values()].reduce((sum, offset) => sum + Math.max(0, offset), 0)
}

/** What a key's consumer saw, repetitions aside, is what was written: a new event only after all before it. */
function assertOrderPerKey(deliveries: readonly Delivery[]): void {
  const last = new Map<string | undefined, number>()
  for (const { key, body } of deliveries) {
    const event = Number(String(body))
    const before = last.get(key) ?? event - KEYS
    assert.ok(event <= before + KEYS, `${key}: ${event} came after ${before}`)
    last.set(key, Math.max(before, event))
  }
}
