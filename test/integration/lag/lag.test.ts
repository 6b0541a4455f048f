import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBroker } from '@weft/control-plane/cli/broker'
import { createLog } from '@weft/schemas/node/log'
import { Kafka, logLevel } from 'kafkajs'
import { plainAdmin } from '../../../control-plane/src/telemetry/lag.test-support.ts'
import { type LagAdmin, readLag, startLag } from '../../../control-plane/src/telemetry/lag.ts'
import { ending } from '../../process/ending.ts'
import { makeTopics } from '../../process/topics.ts'

const log = createLog('lag-test')
log.level = 'silent'

const DEADLINE_MS = 20_000

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + DEADLINE_MS
  while (!(await holds())) {
    assert.ok(Date.now() < end, `did not become true: ${what}`)
    await delay(20)
  }
}

test('lag is what a group has not committed; it goes away with the broker, and comes back with it', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-lag-'))
  const end = ending(t)
  end.defer(() => rm(dataDir, { recursive: true, force: true }))
  let broker = await startBroker({ dataDir })
  end.defer(() => broker.stop())
  const { port, bootstrapServers } = broker
  const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: logLevel.NOTHING })
  const outside = kafka.admin()
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await Promise.all([outside.connect(), producer.connect()])
  await makeTopics(outside, [{ topic: 'orders', numPartitions: 2 }])
  const record = (partition: number) => ({ partition, value: 'x' })
  await producer.send({ topic: 'orders', messages: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1].map(record) })
  const admin = plainAdmin(bootstrapServers)
  end.defer(() => admin.close())
  // The first who asks for a group makes Kafka create its topic of offsets; until that is there, nobody gets an answer.
  await until('groups can be asked for', async () => {
    const [answer] = await Promise.allSettled([admin.listConsumerGroupOffsets({ groups: ['billing'] })])
    return answer.status === 'fulfilled'
  })

  await t.test('a group that has never committed has all of it before it', async () => {
    const { behind, records } = await readLag(admin, [{ group: 'billing', topic: 'orders' }])
    assert.deepEqual([...behind], [['billing orders', 10]])
    assert.deepEqual([...records], [['orders', 10]])
  })

  await t.test('a commit counts, per group; a topic that is not there is left out', async () => {
    const partitionOffsets = [
      { partition: 0, offset: 3n },
      { partition: 1, offset: 5n },
    ]
    await admin.alterConsumerGroupOffsets({
      groupId: 'billing',
      topics: [{ name: 'orders', partitionOffsets }],
    })
    const consumers = [
      { group: 'billing', topic: 'orders' },
      { group: 'audit', topic: 'orders' },
      { group: 'billing', topic: 'nowhere' },
    ]
    assert.deepEqual(
      [...(await readLag(admin, consumers)).behind],
      [
        ['billing orders', 2],
        ['audit orders', 10],
      ],
    )
  })

  await t.test('a group that nobody named is found by what it has committed', async () => {
    const { behind } = await readLag(admin, [{ topic: 'orders' }])
    assert.deepEqual([...behind], [['billing orders', 2]])
  })

  await t.test('while the broker is away there is no number, and then there is the right one', async () => {
    let connection: LagAdmin | undefined
    const poller = startLag({
      admin: async () => connection,
      consumers: () => [{ group: 'billing', topic: 'orders' }],
      log,
      intervalMs: 20,
    })
    assert.equal(poller.current().behind.size, 0)
    connection = admin
    await until('lag 2', () => poller.current().behind.get('billing orders') === 2)

    await Promise.all([outside.disconnect(), producer.disconnect()])
    await broker.stop()
    await until('no lag', () => poller.current().behind.size === 0)

    broker = await startBroker({ dataDir, port })
    await until('lag 2 again', () => poller.current().behind.get('billing orders') === 2)
    await poller.stop()
  })
})
