import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DEFAULT_PRODUCER } from '@weft/schemas/snapshot'
import { makeTopics } from '../../process/topics.ts'
import type { Snapshots } from '../../process/workload.ts'
import {
  type Bridge,
  readTopic,
  snapshotOf,
  startBridge,
  startWorld,
  topicEntry,
  type World,
} from './world.ts'

const COMPRESSIONS = ['gzip', 'snappy', 'lz4', 'zstd'] as const

let world: World
let snapshots: Snapshots
let bridge: Bridge

before(async () => {
  world = await startWorld()
  // The broker unpacks what it stores in these: what it could not read it would refuse.
  const configEntries = [{ name: 'compression.type', value: 'uncompressed' }]
  const topics = COMPRESSIONS.map((topic) => ({ topic, numPartitions: 1, configEntries }))
  await makeTopics(world.admin, topics)
  snapshots = snapshotOf(world.broker.bootstrapServers, {
    topics: COMPRESSIONS.map((compression) => ({
      ...topicEntry(compression),
      producer: { ...DEFAULT_PRODUCER, lingerMs: 20, compression },
    })),
  })
  bridge = await startBridge(snapshots)
})
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

for (const compression of COMPRESSIONS) {
  test(`records packed with ${compression} are read as they were published`, async () => {
    const bodies = Array.from({ length: 20 }, (_, index) => `${index} `.repeat(200))
    const answers = await Promise.all(
      bodies.map((body) => fetch(`${bridge.url}/v1/topics/${compression}/events`, { method: 'POST', body })),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    const stored = await readTopic(world, compression)
    assert.deepEqual(new Set(stored.map(({ value }) => value)), new Set(bodies))
  })
}
