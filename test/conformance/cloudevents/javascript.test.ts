/** The cloudevents package of npm on both sides of the event API: it reads what we write, and we read what it writes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CloudEvent, HTTP, Kafka, type KafkaMessage, type Message } from 'cloudevents'
import {
  App,
  type Bridge,
  createTopic,
  snapshotOf,
  startBridge,
  startWorld,
  subscriptionEntry,
  topicEntry,
  type World,
} from '../../integration/events/world.ts'

const TOPICS = ['http', 'kafka'] as const
let world: World
let bridge: Bridge
let app: App

before(async () => {
  world = await startWorld()
  for (const topic of TOPICS) await createTopic(world, topic)
  app = await App.start()
  bridge = await startBridge(
    snapshotOf(world.broker.bootstrapServers, {
      topics: TOPICS.map((name) => topicEntry(name)),
      subscriptions: TOPICS.map((name) => subscriptionEntry(name)),
    }),
    { appPort: app.port },
  )
})
after(async () => {
  await bridge[Symbol.asyncDispose]()
  await app[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

/** Texts are visible ASCII: the package writes attributes into headers, and reads them, without the percent-encoding of the HTTP binding, 3.1.3.2. */
const base = {
  source: '/shop',
  type: 'OrderCreated',
  subject: 'order-12/a',
  time: '2026-11-27T10:00:00.123Z',
}
/** Data of each kind that the package knows. */
const EVENTS: readonly CloudEvent<unknown>[] = [
  new CloudEvent({
    ...base,
    id: 'json',
    datacontenttype: 'application/json',
    data: { total: 3, name: 'Jürgen' },
    partitionkey: 'k1',
    region: 'eu',
  }),
  new CloudEvent({ ...base, id: 'text', datacontenttype: 'text/plain', data: 'grüß dich' }),
  new CloudEvent({
    ...base,
    id: 'bytes',
    datacontenttype: 'application/octet-stream',
    data: new Uint8Array([0, 255, 10, 128]),
  }),
  new CloudEvent({ ...base, id: 'none', dataschema: 'https://example.com/schema' }),
]

const LIMIT = { timeout: 60_000 }

async function post(message: Message<unknown>): Promise<void> {
  const body = message.body as string | Uint8Array<ArrayBuffer> | undefined
  const response = await fetch(`${bridge.url}/v1/topics/http/events`, {
    method: 'POST',
    headers: message.headers as Record<string, string>,
    ...(body !== undefined && { body }),
  })
  assert.equal(response.status, 200, await response.text())
}

/** What an event says, as JSON does. */
function told(event: CloudEvent<unknown>): unknown {
  const {
    data,
    data_base64: base64,
    ...attributes
  } = JSON.parse(JSON.stringify(event)) as Record<string, unknown>
  const bytes = event.data instanceof Uint8Array ? Buffer.from(event.data).toString('base64') : base64
  const [media = ''] = (event.datacontenttype ?? '').split(';')
  return {
    ...attributes,
    datacontenttype: media,
    time: new Date(String(attributes.time)).getTime(),
    // No bytes and no data are the same on the wire of binary mode.
    data: (bytes ?? data) || undefined,
  }
}

async function delivered(topic: string, id: string): Promise<CloudEvent<unknown>> {
  const is = (each: (typeof app.got)[number]) => each.topic === topic && each.headers['ce-id'] === id
  await app.until((got) => got.some(is))
  const found = app.got.find(is)
  assert.ok(found)
  const type = String(found.headers['content-type'] ?? '')
  const body = type.startsWith('application/octet-stream')
    ? new Uint8Array(found.body)
    : found.body.toString('utf8')
  const headers = Object.fromEntries(
    Object.entries(found.headers).filter(([name]) => !name.startsWith('weft-')),
  )
  return HTTP.toEvent({ headers, body }) as CloudEvent<unknown>
}

const textsIn = (headers: Message['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )

for (const mode of ['binary', 'structured'] as const) {
  test(`HTTP, ${mode}: what it sends is delivered to it as it was`, LIMIT, async () => {
    for (const event of EVENTS) {
      const sent = event.cloneWith({ id: `${mode}-${event.id}` })
      const message = HTTP[mode](sent)
      // In binary mode it names a type of data that is not there.
      if (event.data === undefined && mode === 'binary') delete message.headers['content-type']
      await post(message)
      assert.deepEqual(told(await delivered('http', String(sent.id))), told(sent))
    }
  })

  test(`Kafka, ${mode}: what it writes into the topic is delivered to it as it was`, LIMIT, async (t) => {
    const producer = world.kafka.producer()
    t.after(() => producer.disconnect())
    await producer.connect()
    for (const event of EVENTS) {
      const sent = event.cloneWith({ id: `${mode}-${event.id}` })
      const { key, value, headers } = Kafka[mode](sent) as KafkaMessage<unknown>
      const bytes =
        value instanceof Uint8Array
          ? Buffer.from(value)
          : typeof value === 'string'
            ? value
            : JSON.stringify(value)
      const message = {
        key: key ?? null,
        value: value === undefined ? null : bytes,
        headers: textsIn(headers),
      }
      await producer.send({ topic: 'kafka', messages: [message] })
      assert.deepEqual(told(await delivered('kafka', String(sent.id))), told(sent))
    }
  })
}

test('a batch in JSON is events that it reads from the topic', LIMIT, async (t) => {
  // A value of no bytes is no event to it.
  const events = EVENTS.filter(({ data }) => data !== undefined).map((event) =>
    event.cloneWith({ id: `batch-${event.id}` }),
  )
  const response = await fetch(`${bridge.url}/v1/topics/http/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(events),
  })
  assert.equal(response.status, 200, await response.clone().text())
  const consumer = world.kafka.consumer({ groupId: 'reader' })
  t.after(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topic: 'http', fromBeginning: true })
  const read = new Map<string, CloudEvent<unknown>>()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  await consumer.run({
    eachMessage: async ({ message }) => {
      const headers = Object.fromEntries(
        Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
      )
      const isBytes = headers['content-type'] === 'application/octet-stream'
      const value =
        message.value === null ? undefined : isBytes ? new Uint8Array(message.value) : String(message.value)
      if (value === '') return
      const event = Kafka.toEvent({
        ...(message.key !== null && { key: String(message.key) }),
        value,
        headers,
        body: value,
      } as KafkaMessage) as CloudEvent<unknown>
      read.set(String(event.id), event)
      if (events.every(({ id }) => read.has(String(id)))) resolve()
    },
  })
  await promise
  for (const event of events) {
    const got = read.get(String(event.id))
    assert.ok(got)
    assert.deepEqual(told(got), told(event))
  }
})
