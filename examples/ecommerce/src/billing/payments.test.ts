import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Outbox } from '../chassis/outbox.ts'
import { orderCreated, TRACEPARENT, tempDatabase } from '../chassis/service.test-support.ts'
import { asShopEvent, PAYMENT_COMPLETED, PAYMENT_FAILED } from '../events/shop-events.ts'
import { BILLING_MIGRATIONS, Payments } from './payments.ts'

const TRACE = { traceparent: TRACEPARENT }
const DECLINED = '4000000000000002'

function given(context: TestContext) {
  const database = tempDatabase(context, BILLING_MIGRATIONS)
  const outbox = new Outbox(database)
  return { database, outbox, payments: new Payments(database, outbox) }
}

test('a good card is charged: one completed payment, and its event under the trace of the order', (context) => {
  const { payments, outbox } = given(context)

  assert.equal(payments.take(orderCreated(), TRACE), 'completed')

  const [payment] = payments.byOrder('order-1')
  const [entry] = outbox.due(Date.now(), 10)
  assert.ok(payment !== undefined && entry !== undefined && asShopEvent(entry.event) !== undefined)
  assert.deepEqual([payment.status, payment.amountCents, payment.reason], ['completed', 4900, null])
  assert.deepEqual([entry.topic, entry.key, entry.trace], ['payments', 'order-1', TRACE])
  assert.equal(entry.event.type, PAYMENT_COMPLETED)
  const { paymentId } = payment
  assert.deepEqual(entry.event.data, { paymentId, orderId: 'order-1', amountCents: 4900, currency: 'EUR' })
})

test('a card that ends in 0002 is declined: a failed payment, and an event that says why', (context) => {
  const { payments, outbox } = given(context)

  assert.equal(payments.take(orderCreated({ data: { card: DECLINED } }), TRACE), 'failed')

  const [entry] = outbox.due(Date.now(), 10)
  assert.ok(entry !== undefined && asShopEvent(entry.event) !== undefined)
  assert.equal(entry.event.type, PAYMENT_FAILED)
  assert.equal((entry.event.data as { reason: string }).reason, 'insufficient_funds')
  assert.equal(payments.byOrder('order-1')[0]?.reason, 'insufficient_funds')
})

test('an order that is delivered twice is paid once, and told of once', (context) => {
  const { payments, outbox } = given(context)

  const taken = [payments.take(orderCreated(), TRACE), payments.take(orderCreated(), TRACE)]

  assert.deepEqual(taken, ['completed', 'duplicate'])
  assert.equal(payments.byOrder('order-1').length, 1)
  assert.equal(outbox.summary().waiting, 1)
})

test('an order that two different events announce is paid once', (context) => {
  const { payments, outbox } = given(context)
  payments.take(orderCreated({ id: 'created-1' }), TRACE)

  assert.equal(payments.take(orderCreated({ id: 'created-2' }), TRACE), 'duplicate')

  assert.equal(outbox.summary().waiting, 1)
})

test('a payment whose event cannot be stored is not taken, and the next delivery takes it', (context) => {
  const { database, payments } = given(context)
  database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
  )
  assert.throws(() => payments.take(orderCreated(), TRACE), /the disk is full/)
  assert.deepEqual(payments.byOrder('order-1'), [])
  database.exec('DROP TRIGGER full')

  assert.equal(payments.take(orderCreated(), TRACE), 'completed')
})
