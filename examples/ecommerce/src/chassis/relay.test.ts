import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { OUTBOX_MIGRATION, Outbox, type OutboxEntry } from './outbox.ts'
import { type Published, Relay } from './relay.ts'
import { orderCreated, silentLog, TRACEPARENT, tempDatabase } from './service.test-support.ts'

const PUBLISHED: Published = { result: 'published' }
const RETRY: Published = { result: 'retry', reason: 'the broker is away' }

/** Tells when nothing waits in it any more. */
class WatchedOutbox extends Outbox {
  readonly #empty = Promise.withResolvers<void>()
  readonly untilEmpty = this.#empty.promise

  override published(entry: OutboxEntry): void {
    super.published(entry)
    this.#look()
  }

  override park(entry: OutboxEntry, error: string): void {
    super.park(entry, error)
    this.#look()
  }

  #look(): void {
    if (this.summary().waiting === 0) this.#empty.resolve()
  }
}

/** `add('a1')` stores event a1 of key a. */
function given(context: TestContext) {
  const database = tempDatabase(context, [OUTBOX_MIGRATION])
  const outbox = new WatchedOutbox(database)
  const add = (...ids: string[]) => {
    for (const id of ids) outbox.add('orders', orderCreated({ id, data: { orderId: id.slice(0, 1) } }), {})
  }
  return { database, outbox, add }
}

/** Runs a relay until nothing waits in the outbox; each attempt is answered by `answer`. */
async function runUntilEmpty(
  outbox: WatchedOutbox,
  answer: (entry: OutboxEntry) => Published | Promise<Published>,
): Promise<readonly string[]> {
  const attempts: string[] = []
  const relay = new Relay({
    outbox,
    log: silentLog,
    minBackoffMs: 1,
    maxBackoffMs: 4,
    async publish(entry) {
      attempts.push(entry.event.id)
      return answer(entry)
    },
  })
  relay.wake()
  await outbox.untilEmpty
  await relay.stop()
  return attempts
}

test('the events of one key are published in order, also when one has to be tried again', async (context) => {
  const { outbox, add } = given(context)
  add('a1', 'a2', 'a3')
  let failures = 2

  const attempts = await runUntilEmpty(outbox, () => (failures-- > 0 ? RETRY : PUBLISHED))

  assert.deepEqual(attempts, ['a1', 'a1', 'a1', 'a2', 'a3'])
})

test('a key that has to wait does not hold up the others', async (context) => {
  const { outbox, add } = given(context)
  add('a1', 'b1', 'b2')
  const bIsDone = Promise.withResolvers<void>()

  const published: string[] = []
  await runUntilEmpty(outbox, async ({ event }) => {
    if (event.id === 'a1') await bIsDone.promise
    published.push(event.id)
    if (event.id === 'b2') bIsDone.resolve()
    return PUBLISHED
  })

  assert.deepEqual(published, ['b1', 'b2', 'a1'])
})

test('there is one attempt at a time for a key, and never more than sixteen in all', async (context) => {
  const { outbox, add } = given(context)
  for (const key of 'abcdefghijklmnopqrstuvwxyz') add(`${key}1`, `${key}2`)
  const underWay = new Set<string>()
  let most = 0

  const attempts = await runUntilEmpty(outbox, async ({ key }) => {
    assert.equal(underWay.has(key), false)
    underWay.add(key)
    most = Math.max(most, underWay.size)
    await new Promise((resolve) => setImmediate(resolve))
    underWay.delete(key)
    return PUBLISHED
  })

  assert.equal(attempts.length, 52)
  assert.equal(most, 16)
})

test('an event whose acknowledgement was lost in a crash is published again with the same id', async (context) => {
  const { database, outbox, add } = given(context)
  add('a1')
  const sent = Promise.withResolvers<string>()
  const crashed = new Relay({
    outbox,
    log: silentLog,
    publish({ event }) {
      sent.resolve(event.id)
      return new Promise(() => {})
    },
  })
  crashed.wake()
  const idBefore = await sent.promise

  const attempts = await runUntilEmpty(new WatchedOutbox(database), () => PUBLISHED)

  assert.deepEqual(attempts, [idBefore])
})

test('a publish that throws is tried again, and why it failed is stored with the event', async (context) => {
  const { database, outbox, add } = given(context)
  add('a1')
  const errors: unknown[] = []
  let calls = 0

  const attempts = await runUntilEmpty(outbox, () => {
    errors.push(database.prepare('SELECT last_error FROM outbox').get()?.last_error)
    if (++calls === 1) throw new TypeError('fetch failed', { cause: new Error('connection refused') })
    return PUBLISHED
  })

  assert.deepEqual(attempts, ['a1', 'a1'])
  assert.deepEqual(errors, [null, 'fetch failed: connection refused'])
})

test('an event that is refused for good is parked: kept, shown, and holding back its key and no other', async (context) => {
  const { outbox, add } = given(context)
  add('a1', 'b1')

  await runUntilEmpty(outbox, ({ key }) =>
    key === 'a' ? { result: 'park', reason: '413 too large' } : PUBLISHED,
  )
  add('a2')

  assert.deepEqual(outbox.summary(), {
    waiting: 1,
    parked: [{ eventId: 'a1', key: 'a', attempts: 1, error: '413 too large' }],
  })
  assert.deepEqual(outbox.due(Date.now(), 10), [])
})

test('what was parked is tried again after a restart, before what follows it', async (context) => {
  const { database, outbox, add } = given(context)
  add('a1')
  await runUntilEmpty(outbox, () => ({ result: 'park', reason: '400' }))
  add('a2')

  const attempts = await runUntilEmpty(new WatchedOutbox(database), () => PUBLISHED)

  assert.deepEqual(attempts, ['a1', 'a2'])
})

test('the trace of the cause is stored with the event', (context) => {
  const { outbox } = given(context)

  outbox.add('orders', orderCreated(), { traceparent: TRACEPARENT, baggage: 'a=1' })

  assert.deepEqual(outbox.due(Date.now(), 1)[0]?.trace, { traceparent: TRACEPARENT, baggage: 'a=1' })
})

test('stop waits for the publish that is under way and begins no other', async (context) => {
  const { outbox, add } = given(context)
  add('a1', 'a2')
  const begun = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<Published>()
  const relay = new Relay({
    outbox,
    log: silentLog,
    publish() {
      begun.resolve()
      return answered.promise
    },
  })
  relay.wake()
  await begun.promise

  const stopped = relay.stop()
  answered.resolve(PUBLISHED)
  await stopped

  assert.deepEqual(
    outbox.due(Date.now(), 10).map(({ event }) => event.id),
    ['a2'],
  )
})
