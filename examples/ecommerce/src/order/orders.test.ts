import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Outbox } from '../chassis/outbox.ts'
import {
  paymentCompleted,
  paymentFailed,
  TRACE_ID,
  TRACEPARENT,
  tempDatabase,
} from '../chassis/service.test-support.ts'
import { asShopEvent } from '../events/shop-events.ts'
import { ORDER_MIGRATIONS, Orders } from './orders.ts'

const SCARF = {
  productId: 'linen-scarf',
  quantity: 2,
  unitPriceCents: 4900,
  currency: 'EUR',
  card: '4242424242424242',
}
const TRACE = { traceparent: TRACEPARENT }

function given(context: TestContext) {
  const database = tempDatabase(context, ORDER_MIGRATIONS)
  const outbox = new Outbox(database)
  const orders = new Orders(database, outbox)
  const placed = () => orders.place(SCARF, { trace: TRACE }).order.orderId
  return { database, outbox, orders, placed }
}

test('an order is stored pending, with its price and the trace of the click', (context) => {
  const { orders } = given(context)

  const { order, replayed } = orders.place(SCARF, { trace: TRACE })

  assert.equal(replayed, false)
  assert.deepEqual({ ...orders.get(order.orderId) }, order)
  const { status, amountCents, traceId, reason } = order
  assert.deepEqual(
    { status, amountCents, traceId, reason },
    {
      status: 'pending',
      amountCents: 9800,
      traceId: TRACE_ID,
      reason: null,
    },
  )
})

test('with the order its event is stored: valid, keyed by the order, under the same trace', (context) => {
  const { orders, outbox } = given(context)

  const { order } = orders.place(SCARF, { trace: TRACE })

  const [entry] = outbox.due(Date.now(), 10)
  assert.ok(entry !== undefined && asShopEvent(entry.event) !== undefined)
  assert.deepEqual([entry.topic, entry.key, entry.trace], ['orders', order.orderId, TRACE])
  assert.deepEqual(entry.event.data, {
    orderId: order.orderId,
    productId: 'linen-scarf',
    quantity: 2,
    amountCents: 9800,
    currency: 'EUR',
    card: '4242424242424242',
  })
})

test('an order whose event cannot be stored is not stored either', (context) => {
  const { database, orders } = given(context)
  database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
  )

  assert.throws(() => orders.place(SCARF, { trace: {} }), /the disk is full/)

  assert.equal(orders.count(), 0)
})

test('a request that comes again with its key gets the order that is there, and makes no second event', (context) => {
  const { orders, outbox } = given(context)
  const request = { idempotencyKey: 'key-1', trace: {} }

  const first = orders.place(SCARF, request)
  const second = orders.place(SCARF, request)

  assert.deepEqual([second.order.orderId, second.replayed], [first.order.orderId, true])
  assert.equal(outbox.summary().waiting, 1)
})

test('the same key with another wish is a conflict; a price that changed in between is none', (context) => {
  const { orders } = given(context)
  orders.place(SCARF, { idempotencyKey: 'key-1', trace: {} })

  assert.throws(
    () => orders.place({ ...SCARF, quantity: 3 }, { idempotencyKey: 'key-1', trace: {} }),
    /another order/,
  )
  assert.equal(
    orders.place({ ...SCARF, unitPriceCents: 1 }, { idempotencyKey: 'key-1', trace: {} }).replayed,
    true,
  )
})

test('requests without a key are orders of their own', (context) => {
  const { orders } = given(context)

  orders.place(SCARF, { trace: {} })
  orders.place(SCARF, { trace: {} })

  assert.equal(orders.count(), 2)
})

test('a completed payment makes the order paid', (context) => {
  const { orders, placed } = given(context)
  const orderId = placed()

  assert.equal(orders.settle(paymentCompleted({ data: { orderId } })), 'settled')

  assert.equal(orders.get(orderId)?.status, 'paid')
})

test('a failed payment cancels the order and says why', (context) => {
  const { orders, placed } = given(context)
  const orderId = placed()

  assert.equal(orders.settle(paymentFailed({ data: { orderId } })), 'settled')

  const order = orders.get(orderId)
  assert.deepEqual([order?.status, order?.reason], ['cancelled', 'insufficient_funds'])
})

test('a payment that is delivered twice settles once', (context) => {
  const { orders, placed } = given(context)
  const orderId = placed()
  const payment = paymentCompleted({ data: { orderId } })

  assert.deepEqual([orders.settle(payment), orders.settle(payment)], ['settled', 'duplicate'])
})

test('a final order never flips, whatever is heard later', (context) => {
  const { orders, placed } = given(context)
  const [paid, cancelled] = [placed(), placed()]
  orders.settle(paymentCompleted({ id: '1', data: { orderId: paid } }))
  orders.settle(paymentFailed({ id: '2', data: { orderId: cancelled } }))

  const late = [
    orders.settle(paymentFailed({ id: '3', data: { orderId: paid } })),
    orders.settle(paymentCompleted({ id: '4', data: { orderId: cancelled } })),
  ]

  assert.deepEqual(late, ['already-final', 'already-final'])
  assert.equal(orders.get(paid)?.status, 'paid')
  assert.equal(orders.get(cancelled)?.status, 'cancelled')
})

test('a payment for an order that is not there is not remembered: the order may be restored from a backup', (context) => {
  const { orders, database } = given(context)

  assert.equal(orders.settle(paymentCompleted()), 'unknown-order')

  assert.equal(database.prepare('SELECT count(*) AS n FROM inbox').get()?.n, 0)
})

test('the latest orders come first, and no more than asked for', (context) => {
  const { orders, placed } = given(context)
  const ids = [placed(), placed(), placed()]

  assert.deepEqual(
    orders.latest(2).map(({ orderId }) => orderId),
    [ids[2], ids[1]],
  )
})
