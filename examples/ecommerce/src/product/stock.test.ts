import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { orderCreated, paymentFailed, tempDatabase } from '../chassis/service.test-support.ts'
import { PRODUCT_MIGRATIONS, Stock } from './stock.ts'

/** A shop with one product; `order('o1', 2)` and `fail('o1')` are deliveries, each with an event id of its own. */
function given(context: TestContext, pieces: number) {
  const database = tempDatabase(context, PRODUCT_MIGRATIONS)
  const catalogue = [
    { productId: 'linen-scarf', name: 'Linen scarf', description: '', priceCents: 4900, stock: pieces },
  ]
  const stock = new Stock(database, catalogue)
  const order = (orderId: string, quantity = 1) =>
    stock.reserve(orderCreated({ id: `created-${orderId}`, data: { orderId, quantity } }))
  const fail = (orderId: string) =>
    stock.release(paymentFailed({ id: `failed-${orderId}`, data: { orderId } }))
  return { database, catalogue, stock, order, fail, left: () => stock.product('linen-scarf')?.stock }
}

test('an order takes its pieces', (context) => {
  const { order, left } = given(context, 5)

  assert.equal(order('o1', 2), 'reserved')

  assert.equal(left(), 3)
})

test('an order that is delivered twice takes its pieces once', (context) => {
  const { order, left } = given(context, 5)

  assert.deepEqual([order('o1'), order('o1')], ['reserved', 'duplicate'])

  assert.equal(left(), 4)
})

test('a second event about the same order takes nothing', (context) => {
  const { stock, order, left } = given(context, 5)
  order('o1')

  assert.equal(stock.reserve(orderCreated({ id: 'another-id', data: { orderId: 'o1' } })), 'duplicate')

  assert.equal(left(), 4)
})

test('a failed payment gives the pieces back, once', (context) => {
  const { order, fail, left } = given(context, 5)
  order('o1', 2)

  assert.deepEqual([fail('o1'), fail('o1')], ['released', 'duplicate'])

  assert.equal(left(), 5)
})

test('a failed payment that is heard before its order leaves the stock as it is when the order comes', (context) => {
  const { order, fail, left } = given(context, 5)

  assert.deepEqual([fail('o1'), order('o1', 2)], ['nothing-to-release', 'already-released'])

  assert.equal(left(), 5)
})

test('in every order of deliveries, repeated or not, the stock ends the same', (context) => {
  const deliveries = ['order', 'fail'] as const
  const sequences = deliveries.flatMap((a) =>
    deliveries.flatMap((b) => deliveries.map((c) => [a, b, c] as const)),
  )
  const { order, fail, left } = given(context, 5)

  sequences.forEach((sequence, index) => {
    const orderId = `o${index}`
    const before = left() ?? 0
    for (const delivery of sequence) {
      if (delivery === 'order') order(orderId)
      else fail(orderId)
    }
    const taken = sequence.includes('fail') ? 0 : 1
    assert.equal(left(), before - taken, sequence.join(', '))
  })
})

test('an order for more than there is takes nothing and waits: stock is never negative', (context) => {
  const { order, left } = given(context, 1)

  assert.deepEqual([order('o1'), order('o2')], ['reserved', 'backorder'])

  assert.equal(left(), 0)
})

test('pieces that are given back go to the order that has waited longest', (context) => {
  const { order, fail, left } = given(context, 2)
  order('o1', 2)
  order('o2', 2)
  order('o3', 1)

  fail('o1')

  assert.equal(left(), 0)
  assert.equal(fail('o2'), 'released', 'it had been given the pieces')
  assert.equal(left(), 1, 'of the two pieces one went on to the third order')
})

test('an order that waits and is not paid gives nothing back', (context) => {
  const { order, fail, left } = given(context, 1)
  order('o1')
  order('o2')

  assert.equal(fail('o2'), 'nothing-to-release')

  assert.equal(left(), 0)
})

test('an order for a product that the shop does not have is not remembered', (context) => {
  const { stock, database } = given(context, 1)

  assert.equal(stock.reserve(orderCreated({ data: { productId: 'doughnut-mug' } })), 'unknown-product')

  assert.equal(database.prepare('SELECT count(*) AS n FROM inbox').get()?.n, 0)
})

test('a restart keeps the stock', (context) => {
  const { database, catalogue, order } = given(context, 5)
  order('o1')

  assert.equal(new Stock(database, catalogue).product('linen-scarf')?.stock, 4)
})
