import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { App, committed, createTopic, eventually, readTopic, startWorld } from './world.ts'

const EVENTS = 400
const KEYS = 10

test('kill -9 in the middle of deliveries: the next process skips nothing and keeps the order of every key', async () => {
  await using world = await startWorld()
  await createTopic(world, 'orders', 2)
  await createTopic(world, 'orders.dlt')
  const acknowledged: { readonly key: string | undefined; readonly event: number }[] = []
  await using app = await App.start(async ({ key, body }) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
    if (Math.random() < 0.05) return 500
    acknowledged.push({ key, event: Number(String(body)) })
    return 204
  })
  const producer = world.kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: EVENTS }, (_, event) => ({
    key: `k${event % KEYS}`,
    value: String(event),
  }))
  await producer.send({ topic: 'orders', messages })
  await producer.disconnect()

  const children: ChildProcess[] = []
  const start = () => {
    const script = join(import.meta.dirname, 'bridge-process.ts')
    const child = spawn(
      process.execPath,
      [script, world.broker.bootstrapServers[0] ?? '', 'orders', String(app.port)],
      {
        stdio: 'inherit',
      },
    )
    children.push(child)
    return child
  }
  try {
    const first = start()
    await app.until((got) => got.length > 80)
    first.kill('SIGKILL')
    await once(first, 'exit')
    const before = acknowledged.length
    start() // takes over when the session of the dead member has ended
    await app.until(() => acknowledged.length > before, 40_000)
    await eventually(async () => {
      const offsets = await committed(world, 'orders-group', 'orders')
      return [...offsets.values()].reduce((sum, offset) => sum + Math.max(0, offset), 0) === EVENTS
    })
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
  assert.equal(new Set(acknowledged.map(({ event }) => event)).size, EVENTS)
  const last = new Map<string | undefined, number>()
  for (const { key, event } of acknowledged) {
    const highest = last.get(key) ?? Number(key?.slice(1)) - KEYS
    assert.ok(event <= highest + KEYS, `${key}: ${event} came after ${highest}`)
    last.set(key, Math.max(highest, event))
  }
  assert.deepEqual(await readTopic(world, 'orders.dlt'), [])
})
