import assert from 'node:assert/strict'
import { test } from 'node:test'
import { INBOX_MIGRATION, Inbox } from './inbox.ts'
import { tempDatabase } from './service.test-support.ts'

const EVENT = { source: '/order-service', id: '1' }

test('an event that comes again has no second effect', (context) => {
  const inbox = new Inbox(tempDatabase(context, [INBOX_MIGRATION]))
  let effects = 0
  const effect = () => ++effects

  const outcomes = [inbox.once(EVENT, effect), inbox.once(EVENT, effect)]

  assert.deepEqual(outcomes, [1, 'duplicate'])
})

test('an effect that fails is not remembered, so that the next delivery has it', (context) => {
  const inbox = new Inbox(tempDatabase(context, [INBOX_MIGRATION]))
  const fail = () => {
    throw new Error('the disk is full')
  }
  assert.throws(() => inbox.once(EVENT, fail), /the disk is full/)

  assert.equal(
    inbox.once(EVENT, () => 'done'),
    'done',
  )
})

test('the same id from another source is another event', (context) => {
  const inbox = new Inbox(tempDatabase(context, [INBOX_MIGRATION]))
  inbox.once(EVENT, () => 'done')

  assert.equal(
    inbox.once({ source: '/billing-service', id: '1' }, () => 'done too'),
    'done too',
  )
})

test('events are forgotten after a month, at the next start', (context) => {
  const database = tempDatabase(context, [INBOX_MIGRATION])
  const inbox = new Inbox(database)
  inbox.once({ source: '/order-service', id: 'old' }, () => 'done')
  inbox.once({ source: '/order-service', id: 'new' }, () => 'done')
  database.exec("UPDATE inbox SET handled_at = handled_at - 31 * 86400000 WHERE event_id = 'old'")

  new Inbox(database)

  const left = database.prepare('SELECT event_id FROM inbox').all()
  assert.deepEqual(
    left.map(({ event_id }) => event_id),
    ['new'],
  )
})
