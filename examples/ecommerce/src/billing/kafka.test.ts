/** Needs a real broker: KAFKA_BROKERS=host:port. The tests of the whole mesh run the service on theirs. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { orderCreated, silentLog, TRACEPARENT } from '../chassis/service.test-support.ts'
import { type RunningConsumer, startConsumer } from './consumer.ts'
import { createKafka } from './kafka.ts'
import { createProducer } from './producer.ts'

const BROKERS = process.env.KAFKA_BROKERS
const needsBroker = { skip: BROKERS === undefined ? 'KAFKA_BROKERS is not set' : false }

async function given(context: TestContext) {
  const brokers = (BROKERS ?? '').split(',')
  const topic = `billing-test-${randomUUID()}`
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
  context.after(async () => {
    await admin.deleteTopics({ topics: [topic] })
    await admin.disconnect()
  })
  const producer = createProducer(createKafka(brokers, silentLog))
  context.after(() => producer.stop())
  const publish = (id: string) =>
    producer.publish({
      position: 1,
      topic,
      key: 'order-1',
      event: orderCreated({ id }),
      trace: { traceparent: TRACEPARENT },
      attempts: 0,
    })
  return { topic, brokers, admin, publish }
}

/** Collects event ids; `until(n)` resolves when there are n of them. */
function collector() {
  const ids: string[] = []
  const waiting: (() => void)[] = []
  return {
    ids,
    add(id: string) {
      ids.push(id)
      for (const wake of waiting.splice(0)) wake()
    },
    async until(count: number) {
      while (ids.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

test(
  'a record carries the event and its trace as headers, and is read from the start of the topic',
  needsBroker,
  async (context) => {
    const { topic, brokers, publish } = await given(context)
    assert.deepEqual(await publish('a'), { result: 'published' })
    const received = Promise.withResolvers<Record<string, string>>()

    const consumer = startConsumer({
      kafka: createKafka(brokers, silentLog),
      groupId: topic,
      topic,
      log: silentLog,
      onRecord: ({ message }) =>
        received.resolve(
          Object.fromEntries(
            Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
          ),
        ),
    })
    context.after(() => consumer.stop())

    const { ce_id, ce_type, traceparent } = await received.promise
    assert.deepEqual([ce_id, ce_type, traceparent], ['a', 'dev.weft.shop.OrderCreated.v1', TRACEPARENT])
  },
)

test(
  'a consumer that was stopped has committed: its successor reads on, and nothing twice',
  needsBroker,
  async (context) => {
    const { topic, brokers, publish } = await given(context)
    const seen = collector()
    const start = (): RunningConsumer => {
      const consumer = startConsumer({
        kafka: createKafka(brokers, silentLog),
        groupId: topic,
        topic,
        log: silentLog,
        onRecord: ({ message }) => seen.add(String(message.headers?.ce_id)),
      })
      context.after(() => consumer.stop())
      return consumer
    }
    const first = start()
    await publish('a')
    await seen.until(1)
    await first.stop()
    assert.equal(first.joined, false)

    await publish('b')
    start()
    await seen.until(2)

    assert.deepEqual(seen.ids, ['a', 'b'])
  },
)

test('a record whose handling fails comes again, until it succeeds', needsBroker, async (context) => {
  const { topic, brokers, publish } = await given(context)
  const seen = collector()
  await publish('a')

  const consumer = startConsumer({
    kafka: createKafka(brokers, silentLog),
    groupId: topic,
    topic,
    log: silentLog,
    onRecord({ message }) {
      seen.add(String(message.headers?.ce_id))
      // More often than kafkajs retries by itself: the consumer has to begin anew.
      if (seen.ids.length < 8) throw new Error('the disk is full')
    },
  })
  context.after(() => consumer.stop())
  await seen.until(8)
  await publish('b')
  await seen.until(9)

  assert.deepEqual(seen.ids, [...Array.from({ length: 8 }, () => 'a'), 'b'])
})

test(
  'a consumer whose broker is not there yet, and whose connections are cut later, comes back by itself',
  needsBroker,
  async (context) => {
    const { topic, brokers, publish } = await given(context)
    const seen = collector()
    const line = cuttableKafka(brokers)
    const consumer = startConsumer({
      kafka: line.kafka,
      groupId: topic,
      topic,
      log: silentLog,
      onRecord: ({ message }) => seen.add(String(message.headers?.ce_id)),
    })
    context.after(() => consumer.stop())
    await line.untilRefused()

    line.open()
    await publish('a')
    await seen.until(1)
    line.cut()
    await publish('b')
    await seen.until(2)

    assert.deepEqual(seen.ids, ['a', 'b'])
  },
)

/** A client whose connections can be refused and cut. */
function cuttableKafka(brokers: string[]) {
  const sockets = new Set<Socket>()
  const refused = Promise.withResolvers<void>()
  let isOpen = false
  const kafka = new Kafka({
    brokers,
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 10, maxRetryTime: 100, retries: 2 },
    socketFactory({ host, port, onConnect }) {
      if (!isOpen) refused.resolve()
      // Nobody listens on port 1.
      const socket = connect(isOpen ? port : 1, host, onConnect)
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      return socket
    },
  })
  return {
    kafka,
    open: () => {
      isOpen = true
    },
    cut: () => {
      for (const socket of sockets) socket.destroy(new Error('cut'))
    },
    untilRefused: () => refused.promise,
  }
}
