import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBroker } from '@weft/control-plane/cli/broker'
import { createTopic, eventually, readTopic, startWorld } from './world.ts'

const PROCESS = join(import.meta.dirname, 'spool-process.ts')

async function start(...words: string[]): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROCESS, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return { child, url: String(line).trim() }
}

test('events of a broker that is away are kept through kill -9 and published in order when it is back', async () => {
  await using world = await startWorld()
  await createTopic(world, 'orders', 2)
  const words = [world.broker.bootstrapServers[0] ?? '', 'orders', join(world.dataDir, 'spool')]
  let { child, url } = await start(...words)
  const statuses = new Map<number, number>()
  const accepted: string[] = []
  const publish = async (value: string): Promise<number> => {
    const response = await fetch(`${url}/v1/topics/orders/events`, {
      method: 'POST',
      body: value,
      headers: { 'weft-key': `key-${Number(value) % 3}` },
    })
    await response.text()
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
    if (response.ok) accepted.push(value)
    return response.status
  }

  for (let event = 0; event < 10; event++) assert.equal(await publish(String(event)), 200)
  await world.broker.stop(0)
  // Together, so that they wait together, and one after the other.
  const together = Array.from({ length: 30 }, (_, index) => publish(String(10 + index)))
  assert.deepEqual(new Set(await Promise.all(together)), new Set([202]))
  for (let event = 40; event < 60; event++) assert.equal(await publish(String(event)), 202)
  child.kill('SIGKILL')
  await once(child, 'exit')
  ;({ child, url } = await start(...words))
  for (let event = 60; event < 70; event++) assert.equal(await publish(String(event)), 202)

  const again = await startBroker({ dataDir: world.dataDir, port: world.broker.port })
  await eventually(async () => {
    const there = new Set((await readTopic(world, 'orders')).map(({ value }) => value))
    return accepted.every((value) => there.has(value))
  })
  await eventually(async () => (await publish(String(70 + accepted.length))) === 200)

  const stored = await readTopic(world, 'orders')
  for (const key of ['key-0', 'key-1', 'key-2']) {
    const mine = stored.filter((record) => record.key === key).map(({ value }) => Number(value))
    // Those that were sent together may have come in any order.
    const firsts = [...new Set(mine)].map((event) => (event >= 10 && event < 40 ? 10 : event))
    assert.deepEqual(
      firsts,
      firsts.toSorted((a, b) => a - b),
      'no event comes before its predecessor of the same key',
    )
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
  await again.stop(5_000)
})
