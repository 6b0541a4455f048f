import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Outbox } from '../chassis/outbox.ts'
import { paymentCompleted, TRACE_ID, TRACEPARENT, tempDatabase } from '../chassis/service.test-support.ts'
import { createWebApp } from '../chassis/web-app.ts'
import { toHttpHeaders } from '../events/cloud-event.ts'
import { ORDER_MIGRATIONS, Orders } from './orders.ts'
import { registerOrderRoutes } from './routes.ts'

const BODY = {
  productId: 'linen-scarf',
  quantity: 1,
  unitPriceCents: 4900,
  currency: 'EUR',
  card: '4242424242424242',
}

function given(context: TestContext) {
  const database = tempDatabase(context, ORDER_MIGRATIONS)
  const outbox = new Outbox(database)
  const orders = new Orders(database, outbox)
  const app = createWebApp({ name: 'order-service', logLevel: 'silent', isReady: () => true })
  let stored = 0
  registerOrderRoutes(app, { orders, outbox, onStored: () => stored++ })
  context.after(() => app.close())
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/orders', headers, payload: body as object })
  return { app, orders, post, stored: () => stored }
}

test('POST /orders answers 201 with the id, pending, and the trace id', async (context) => {
  const { post, stored } = given(context)

  const response = await post(BODY, { traceparent: TRACEPARENT })

  const body = response.json<{ orderId: string }>()
  assert.equal(response.statusCode, 201)
  assert.deepEqual(body, { orderId: body.orderId, status: 'pending', traceId: TRACE_ID })
  assert.equal(response.headers.location, `/orders/${body.orderId}`)
  assert.equal(stored(), 1)
})

test('a repeated Idempotency-Key gets the same order, marked as replayed, and wakes nobody', async (context) => {
  const { post, stored } = given(context)
  const first = await post(BODY, { 'idempotency-key': 'key-1' })

  const second = await post(BODY, { 'idempotency-key': 'key-1' })

  assert.equal(second.statusCode, 201)
  assert.equal(second.headers['idempotent-replayed'], 'true')
  assert.deepEqual(second.json(), first.json())
  assert.equal(stored(), 1)
})

test('a repeated Idempotency-Key with another order is 422', async (context) => {
  const { post } = given(context)
  await post(BODY, { 'idempotency-key': 'key-1' })

  const response = await post({ ...BODY, quantity: 2 }, { 'idempotency-key': 'key-1' })

  assert.equal(response.statusCode, 422)
})

for (const [what, body, detail] of [
  ['a missing product', { ...BODY, productId: undefined }, "body must have required property 'productId'"],
  ['no piece at all', { ...BODY, quantity: 0 }, 'body/quantity must be >= 1'],
  ['a text for a number', { ...BODY, quantity: '1' }, 'body/quantity must be integer'],
  ['half a piece', { ...BODY, quantity: 1.5 }, 'body/quantity must be integer'],
  ['a negative price', { ...BODY, unitPriceCents: -1 }, 'body/unitPriceCents must be >= 0'],
  ['a card of letters', { ...BODY, card: 'none' }, 'body/card must match pattern "^[0-9]{12,19}$"'],
  ['a member too many', { ...BODY, discount: 100 }, 'body must NOT have additional properties'],
  ['an array', [BODY], 'body must be object'],
] as const) {
  test(`an order with ${what} is 400 and says so`, async (context) => {
    const { post, orders } = given(context)

    const response = await post(body)

    assert.equal(response.statusCode, 400)
    assert.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
    assert.equal(response.json<{ detail: string }>().detail, detail)
    assert.equal(orders.count(), 0)
  })
}

test('a body that is not JSON is 400, one that is too large 413, one of another type 415', async (context) => {
  const { app } = given(context)
  const send = (contentType: string, payload: string) =>
    app.inject({ method: 'POST', url: '/orders', headers: { 'content-type': contentType }, payload })

  const statuses = [
    (await send('application/json', '{"productId":')).statusCode,
    (await send('application/json', `"${'x'.repeat(20_000)}"`)).statusCode,
    (await send('application/xml', '<order/>')).statusCode,
  ]

  assert.deepEqual(statuses, [400, 413, 415])
})

test('an order can be read, by its id and by the key it was placed with; another id is 404', async (context) => {
  const { app, post } = given(context)
  const { orderId } = (await post(BODY, { 'idempotency-key': 'key-1' })).json<{ orderId: string }>()

  const byId = await app.inject(`/orders/${orderId}`)
  const byKey = await app.inject('/orders?idempotencyKey=key-1')
  const missing = await app.inject('/orders/none')

  const order = byId.json<Record<string, unknown>>()
  assert.equal(order.orderId, orderId)
  assert.equal('card' in order, false)
  assert.deepEqual(byKey.json(), { orders: [order] })
  assert.equal(missing.statusCode, 404)
})

test('a limit that is no number from 1 to 999 is 400', async (context) => {
  const { app } = given(context)

  for (const limit of ['0', '-1', '1000', 'all'])
    assert.equal((await app.inject(`/orders?limit=${limit}`)).statusCode, 400)
})

test('a pushed payment closes the order and is acknowledged, however often it comes', async (context) => {
  const { app, post, orders } = given(context)
  const { orderId } = (await post(BODY)).json<{ orderId: string }>()
  const event = paymentCompleted({ data: { orderId } })
  const push = () =>
    app.inject({
      method: 'POST',
      url: '/events/payments',
      headers: toHttpHeaders(event),
      payload: event.data,
    })

  const statuses = [(await push()).statusCode, (await push()).statusCode]

  assert.deepEqual(statuses, [204, 204])
  assert.equal(orders.get(orderId)?.status, 'paid')
})

test('a pushed event is refused with a 4xx when no retry can mend it', async (context) => {
  const { app } = given(context)
  const { data, ...event } = paymentCompleted()
  const push = async (headers: Record<string, string>, payload: object) =>
    (await app.inject({ method: 'POST', url: '/events/payments', headers, payload })).statusCode
  const headers = toHttpHeaders({ ...event, data })

  assert.equal(await push(headers, data), 404, 'an order that is not there')
  assert.equal(await push(headers, { ...data, amountCents: 'much' }), 422, 'data that does not fit')
  assert.equal(await push({ 'content-type': 'application/json' }, data), 422, 'no CloudEvent')
})

test('a pushed event of a type that is not ours is acknowledged and ignored', async (context) => {
  const { app } = given(context)
  const headers = { ...toHttpHeaders(paymentCompleted()), 'ce-type': 'com.example.Refunded' }

  const response = await app.inject({ method: 'POST', url: '/events/payments', headers, payload: {} })

  assert.equal(response.statusCode, 204)
})

test('an unknown path is a problem document that names it without its query', async (context) => {
  const { app } = given(context)

  const response = await app.inject('/basket?card=4242')

  assert.equal(response.statusCode, 404)
  assert.equal(response.json<{ detail: string }>().detail, 'order-service has no GET /basket')
})
