/** Topics with a schema, seen from Kafka clients of any kind: what is not of it is INVALID_RECORD, and nothing of its batch is stored. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { compressionsAlgorithms } from '@platformatic/kafka'
import { avroType } from '@weft/schemas/event-schema'
import { PRODUCE } from '../../../broker-bridge/src/wire/00-produce.ts'
import { NO_TOPIC_ID } from '../../../broker-bridge/src/wire/codec.ts'
import { writeBatch } from '../../../broker-bridge/src/wire/write-batch.ts'
import type { SchemaValidation } from '../../../schemas/src/snapshot-topics.ts'
import { RawClient } from './raw-client.ts'
import { allow, type Bridge, createTopics, startBridge, startWorld, type World } from './world.ts'

const ORDER = JSON.stringify({ type: 'record', name: 'Order', fields: [{ name: 'id', type: 'string' }] })
const INVALID_RECORD = 87

let world: World
let bridge: Bridge

const topic = (name: string, validation: SchemaValidation) => ({
  name,
  partitions: 2,
  maxMessageBytes: 1_048_576,
  schema: { type: 'AVRO' as const, subject: `${name}-value`, validation, versions: [{ id: 7, text: ORDER }] },
})

before(async () => {
  world = await startWorld()
  await createTopics(world, 'orders', 'full', 'open')
  bridge = await startBridge(
    world,
    ['orders', 'full', 'open'].map((name) => allow(name, ['produce', 'consume'], ['*'])),
    { topics: [topic('orders', 'id'), topic('full', 'full'), topic('open', 'none')] },
  )
})

after(async () => {
  await bridge[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const type = avroType({ type: 'AVRO', text: ORDER })
function framed(value: Buffer, id = 7): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, value])
}
const order = (id: string): Buffer => framed(type.toBuffer({ id }))

/** By name, so up to version 12; the answer's partitions by their index. */
async function produce(
  name: string,
  partitions: readonly { readonly index: number; readonly records: Buffer }[],
): Promise<
  ReadonlyMap<
    number,
    { readonly errorCode: number; readonly errorMessage: string | null; readonly baseOffset: bigint }
  >
> {
  using client = await RawClient.connect(bridge.proxy.port)
  const { topics } = await client.ask(PRODUCE, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 5_000,
    topics: [
      {
        name,
        topicId: NO_TOPIC_ID,
        partitions: partitions.map((each) => ({ ...each, tags: [] })),
        tags: [],
      },
    ],
    tags: [],
  })
  return new Map(topics.flatMap(({ partitions: told }) => told.map((each) => [each.index, each] as const)))
}

type Packing = keyof typeof compressionsAlgorithms
function batchOf(values: readonly (Buffer | null)[], packing: Packing = 'none'): Buffer {
  const { bitmask, compressSync } = compressionsAlgorithms[packing]
  return writeBatch(
    values.map((value) => ({ value, headers: [] })),
    {
      ...NO_PRODUCER,
      nowMs: Date.now(),
      ...(packing !== 'none' && { compression: { bits: bitmask, compress: compressSync } }),
    },
  )
}

const NO_PRODUCER = { producerId: -1n, producerEpoch: -1, baseSequence: -1 }

const errorOf = async (name: string, records: Buffer) => (await produce(name, [{ index: 0, records }])).get(0)

test('a record of the schema goes through, and a tombstone', async () => {
  const producer = bridge.kafka.producer()
  await producer.connect()
  await producer.send({
    topic: 'orders',
    messages: [
      { key: 'a', value: order('a') },
      { key: 'a', value: null },
    ],
  })
  await producer.disconnect()
})

test('a kafkajs producer is told INVALID_RECORD', async () => {
  const producer = bridge.kafka.producer({ retry: { retries: 0 } })
  await producer.connect()
  await assert.rejects(producer.send({ topic: 'orders', messages: [{ value: 'plain' }] }), (error: unknown) =>
    /INVALID_RECORD|failed to validate|record has failed the validation/i.test(
      `${(error as { type?: string }).type} ${String(error)}`,
    ),
  )
  await producer.disconnect()
})

for (const packing of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)
  test(`packed by ${packing}: one faulty record refuses its batch, and the answer says which`, async () => {
    const good = await errorOf('orders', batchOf([order('a'), null, order('b')], packing))
    assert.equal(good?.errorCode, 0)
    const bad = await errorOf('orders', batchOf([order('a'), Buffer.from('plain')], packing))
    assert.equal(bad?.errorCode, INVALID_RECORD)
    assert.match(bad?.errorMessage ?? '', /expected the Confluent wire format, with a schema of orders-value/)
    const unknown = await errorOf('orders', batchOf([framed(type.toBuffer({ id: 'a' }), 8)], packing))
    assert.match(unknown?.errorMessage ?? '', /is of no version of orders-value that is known here: id 8/)
  })

test('the other partitions of a request are stored, and only the faulty one is not', async () => {
  const told = await produce('orders', [
    { index: 0, records: batchOf([Buffer.from('plain')]) },
    { index: 1, records: batchOf([order('kept')]) },
  ])
  assert.deepEqual([told.get(0)?.errorCode, told.get(1)?.errorCode], [INVALID_RECORD, 0])
  assert.ok((told.get(1)?.baseOffset ?? -1n) >= 0n)
})

test('the value itself is looked at where that is asked for, and nothing where nothing is', async () => {
  const wrong = framed(Buffer.from([0x80]))
  assert.equal((await errorOf('orders', batchOf([wrong])))?.errorCode, 0)
  const refused = await errorOf('full', batchOf([wrong]))
  assert.equal(refused?.errorCode, INVALID_RECORD)
  assert.match(refused?.errorMessage ?? '', /the value is not of the schema with id 7/)
  assert.equal((await errorOf('full', batchOf([order('x')])))?.errorCode, 0)
  assert.equal((await errorOf('open', batchOf([Buffer.from('plain')])))?.errorCode, 0)
})

test('what cannot be looked into is not let in: packed wrongly, of an old format, or a bomb', async () => {
  const bomb = batchOf([Buffer.alloc(100 * 1024 * 1024)], 'gzip')
  assert.ok(bomb.length < 1_000_000, `${bomb.length}`)
  assert.equal((await errorOf('orders', bomb))?.errorCode, INVALID_RECORD)
  // The checksum holds, what is packed is none.
  const lying = writeBatch([{ value: order('a'), headers: [] }], {
    ...NO_PRODUCER,
    nowMs: Date.now(),
    compression: { bits: 1, compress: (records) => records },
  })
  assert.equal((await errorOf('orders', lying))?.errorCode, INVALID_RECORD)
  const old = batchOf([order('a')])
  old[16] = 1
  assert.equal((await errorOf('orders', old))?.errorCode, INVALID_RECORD)
})

test('without acknowledgements the connection ends, as a broker does it', async () => {
  const client = await RawClient.connect(bridge.proxy.port)
  client.send(PRODUCE, 9, {
    transactionalId: null,
    acks: 0,
    timeoutMs: 5_000,
    topics: [
      {
        name: 'orders',
        topicId: NO_TOPIC_ID,
        partitions: [{ index: 0, records: batchOf([Buffer.from('x')]), tags: [] }],
        tags: [],
      },
    ],
    tags: [],
  })
  await client.closed
})
