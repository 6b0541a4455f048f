import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { RECEIVER, received } from './receiver.ts'
import { createProject } from './weft.test-support.ts'

const RESOURCES = `apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: orders }
spec: { partitions: 2 }
---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: orders }
spec:
  target: { topic: orders }
  rules:
    - from: [{ serviceAccount: front }, { serviceAccount: back }]
      to: [{ kafka: { operations: [produce, consume], groups: [back, own] } }]
---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: own }
spec:
  target: { group: own }
  rules: [{ from: [{ serviceAccount: front }], to: [{ kafka: { operations: [consume] } }] }]
---
apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: orders }
spec: { topic: orders, service: back, path: /orders }
`

const RECORDS = 20

test('weft topics rewind moves a group whose sidecar is at work', async (t) => {
  const service = { command: ['node', 'orders.mjs'] }
  const project = await createProject(t, { kafka: {}, back: service, front: service })
  await project.write('orders.mjs', RECEIVER)
  await project.write('mesh/orders.yaml', RESOURCES)
  const { mesh } = await project.up()
  const ports = mesh.services.find(({ name }) => name === 'front')?.ports
  const publish = async (body: string): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${ports?.events}/v1/topics/orders/events`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', 'weft-key': body },
      body,
    })
    assert.equal(answer.status, 200, await answer.text())
  }
  const delivered = async (): Promise<readonly string[]> =>
    (await received(project.folder)).map(({ body }) => body.toString())
  const untilDelivered = async (count: number): Promise<void> => {
    for (let tries = 0; tries < 300 && (await delivered()).length < count; tries++) await delay(50)
    assert.equal((await delivered()).length, count)
  }
  const rewind = (...words: readonly string[]) => project.weft('topics', 'rewind', 'orders', ...words)
  const early = Array.from({ length: RECORDS / 2 }, (_, n) => `early ${n}`)
  const late = early.map((name) => name.replace('early', 'late'))
  for (const body of early) await publish(body)
  await untilDelivered(early.length)
  const between = new Date().toISOString()
  for (const body of late) await publish(body)
  await untilDelivered(RECORDS)

  await t.test('what would be is said, and nothing is changed', async () => {
    let planned = await rewind('--group', 'back', '--to', 'earliest', '--dry-run', '-o', 'json')
    const places = () =>
      (JSON.parse(planned.stdout) as { partitions: { to: string; again: number }[] }).partitions
    // Commits follow deliveries.
    for (
      let tries = 0;
      tries < 100 && places().reduce((sum, { again }) => sum + (again ?? 0), 0) !== RECORDS;
      tries++
    ) {
      await delay(100)
      planned = await rewind('--group', 'back', '--to', 'earliest', '--dry-run', '-o', 'json')
    }
    assert.deepEqual(
      places().map(({ to }) => to),
      ['0', '0'],
    )
    assert.equal(
      places().reduce((sum, { again }) => sum + again, 0),
      RECORDS,
    )
    const nobody = await rewind('--group', 'back', '--to', 'earliest')
    assert.deepEqual([nobody.code, /nobody is here to ask/.test(nobody.stderr)], [2, true])
    assert.equal((await delivered()).length, RECORDS)
  })

  await t.test('to the beginning: every record comes once more', async () => {
    const moved = await rewind('--group', 'back', '--to', 'earliest', '--yes')
    assert.equal(moved.code, 0, moved.stderr)
    assert.match(moved.stdout, /^PARTITION +FROM +TO +RECORDS\n0 +\d+ +0 +\d+ again\n1 +\d+ +0 +\d+ again\n$/)
    await untilDelivered(2 * RECORDS)
    assert.deepEqual((await delivered()).slice(RECORDS).toSorted(), [...early, ...late].toSorted())
  })

  await t.test('to a time: what came since, and nothing else', async () => {
    await delay(1_500)
    const moved = await rewind('--group', 'back', '--to', between, '--yes')
    assert.equal(moved.code, 0, moved.stderr)
    await untilDelivered(2 * RECORDS + late.length)
    assert.deepEqual((await delivered()).slice(2 * RECORDS).toSorted(), late.toSorted())
  })

  await t.test('what cannot be moved is said', async () => {
    const unknown = await project.weft(
      'topics',
      'rewind',
      'nowhere',
      '--group',
      'back',
      '--to',
      'earliest',
      '--yes',
    )
    assert.match(unknown.stderr, /there is no topic nowhere/)
    assert.match(
      (await rewind('--group', 'back', '--offset', '7=0', '--yes')).stderr,
      /orders has no partition 7: it has 0 to 1/,
    )
    const kafka = new Kafka({ brokers: [`127.0.0.1:${ports?.kafka}`], logLevel: logLevel.NOTHING })
    const consumer = kafka.consumer({ groupId: 'own' })
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
    await consumer.run({ eachMessage: async () => {} })
    await joined
    const busy = await rewind('--group', 'own', '--to', 'earliest', '--yes')
    assert.match(busy.stderr, /the group own has members that no Subscription of this topic explains/)
    await consumer.disconnect()
    const free = await rewind('--group', 'own', '--offset', '0=1', '--yes', '-o', 'json')
    assert.equal(free.code, 0, free.stderr)
    assert.deepEqual(
      (JSON.parse(free.stdout) as { partitions: { to: string }[] }).partitions.map(({ to }) => to),
      ['1'],
    )
  })
})
