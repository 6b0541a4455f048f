import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import {
  orderCreated,
  paymentCompleted,
  paymentFailed,
  startNeighbour,
  TRACE_ID,
  TRACEPARENT,
  tempDatabase,
} from '../chassis/service.test-support.ts'
import { createWebApp } from '../chassis/web-app.ts'
import { type CloudEvent, toHttpHeaders } from '../events/cloud-event.ts'
import { createOrderClient } from './order-client.ts'
import { registerEvents, registerShopApi } from './routes.ts'
import { PRODUCT_MIGRATIONS, Stock } from './stock.ts'

const BUY = { productId: 'linen-scarf', quantity: 1, card: '4242424242424242' }
const PLACED = { orderId: 'order-1', status: 'pending', traceId: TRACE_ID }

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** product-service in front of an order-service that answers as told. */
async function given(context: TestContext, answer: Answer, dashboardUrl?: string) {
  const stock = new Stock(tempDatabase(context, PRODUCT_MIGRATIONS), [
    { productId: 'linen-scarf', name: 'Linen scarf', description: '', priceCents: 4900, stock: 2 },
  ])
  const app = createWebApp({ name: 'product-service', logLevel: 'silent', isReady: () => true })
  const orders = createOrderClient(await startNeighbour(context, answer))
  registerShopApi(app, { stock, orders, dashboardUrl })
  registerEvents(app, stock)
  context.after(() => app.close())
  const buy = (body: unknown = BUY, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/api/orders', headers, payload: body as object })
  const push = (url: string, event: CloudEvent<object>) =>
    app.inject({ method: 'POST', url, headers: toHttpHeaders(event), payload: event.data })
  return { app, stock, buy, push }
}

const json =
  (status: number, body: unknown): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

test('Buy Now orders at order-service with our price, the same key and the same trace', async (context) => {
  const seen: unknown[] = []
  const { buy } = await given(context, (request, response, body) => {
    const { 'idempotency-key': key, traceparent, baggage } = request.headers
    seen.push([request.method, request.url, key, traceparent, baggage, JSON.parse(body)])
    json(201, PLACED)(request, response, body)
  })

  const response = await buy(BUY, { 'idempotency-key': 'k1', traceparent: TRACEPARENT, baggage: 'a=1' })

  assert.equal(response.statusCode, 201)
  assert.deepEqual(response.json(), PLACED)
  const sent = { ...BUY, unitPriceCents: 4900, currency: 'EUR' }
  assert.deepEqual(seen, [['POST', '/orders', 'k1', TRACEPARENT, 'a=1', sent]])
})

test('with a dashboard an order links to its trace', async (context) => {
  const { buy, app } = await given(
    context,
    (request, response, body) =>
      json(200, request.method === 'POST' ? PLACED : { orders: [PLACED] })(request, response, body),
    'http://127.0.0.1:15014',
  )
  const traceUrl = `http://127.0.0.1:15014/traces/${TRACE_ID}`

  const bought = await buy(BUY, { traceparent: TRACEPARENT })
  const listed = await app.inject('/api/orders')

  assert.deepEqual(bought.json(), { ...PLACED, traceUrl })
  assert.deepEqual(listed.json(), { orders: [{ ...PLACED, traceUrl }] })
})

test('outside of a mesh there is no trace, and no link', async (context) => {
  const { buy } = await given(context, json(201, { ...PLACED, traceId: null }), 'http://127.0.0.1:15014')

  assert.deepEqual((await buy()).json(), { ...PLACED, traceId: null })
})

test('more than there is in stock is 409, and order-service is not asked', async (context) => {
  const { buy } = await given(context, () => assert.fail('order-service was asked'))

  const response = await buy({ ...BUY, quantity: 3 })

  assert.equal(response.statusCode, 409)
  assert.equal(response.json<{ detail: string }>().detail, 'only 2 of Linen scarf left')
})

test('who bought the last piece and asks again with the same key hears of the order, not "sold out"', async (context) => {
  const { buy, stock } = await given(context, (request, response, body) => {
    const known = request.url === '/orders?idempotencyKey=k1' ? [PLACED] : []
    json(200, { orders: known })(request, response, body)
  })
  stock.reserve(orderCreated({ data: { quantity: 2 } }))

  const again = await buy(BUY, { 'idempotency-key': 'k1' })
  const other = await buy(BUY, { 'idempotency-key': 'k2' })

  assert.deepEqual([again.statusCode, again.json()], [201, PLACED])
  assert.equal(other.statusCode, 409)
  assert.equal(other.json<{ detail: string }>().detail, 'Linen scarf is sold out')
})

test('a product that the shop does not have is 404', async (context) => {
  const { buy } = await given(context, () => assert.fail('order-service was asked'))

  assert.equal((await buy({ ...BUY, productId: 'doughnut-mug' })).statusCode, 404)
})

for (const [what, body] of [
  ['no card', { productId: 'linen-scarf', quantity: 1 }],
  ['100 pieces', { ...BUY, quantity: 100 }],
  ['a price of its own', { ...BUY, unitPriceCents: 1 }],
  ['a product id with a path in it', { ...BUY, productId: '../x' }],
] as const) {
  test(`a purchase with ${what} is 400`, async (context) => {
    const { buy } = await given(context, () => assert.fail('order-service was asked'))

    assert.equal((await buy(body)).statusCode, 400)
  })
}

test('a refusal by policy on the way to order-service is 502 and names what refused', async (context) => {
  const problem = { detail: 'refused by policy', code: 'WEFT2003', policy: 'default/order-api' }
  const { buy } = await given(context, json(403, problem))

  const response = await buy()

  assert.equal(response.statusCode, 502)
  assert.deepEqual(response.json<{ upstream: unknown }>().upstream, {
    status: 403,
    code: 'WEFT2003',
    policy: 'default/order-api',
  })
})

for (const [what, answer] of [
  ['is away', (request) => request.socket.destroy()],
  ['answers half a body', (_request, response) => response.end('{"orderId":"ord')],
  ['is late, says the sidecar', json(504, { code: 'WEFT3005', detail: 'no answer in 15 s' })],
] as const satisfies readonly (readonly [string, Answer])[]) {
  test(`an order-service that ${what} is 503, with the advice to keep the key`, async (context) => {
    const { buy } = await given(context, answer)

    const response = await buy()

    assert.equal(response.statusCode, 503)
    assert.match(response.json<{ detail: string }>().detail, /try again with the same Idempotency-Key/)
  })
}

test('what order-service says about the request itself is passed on', async (context) => {
  const { app, buy } = await given(context, (request, response, body) =>
    json(request.method === 'POST' ? 422 : 404, { detail: 'their words' })(request, response, body),
  )

  const answers = [await buy(), await app.inject('/api/orders/none')]

  assert.deepEqual(
    answers.map((answer) => [answer.statusCode, answer.json<{ detail: string }>().detail]),
    [
      [422, 'their words'],
      [404, 'their words'],
    ],
  )
})

test('an order id that could lead elsewhere is 400, and order-service is not asked', async (context) => {
  const { app } = await given(context, () => assert.fail('order-service was asked'))

  for (const id of ['..%2F..%2Foutbox', 'a%3Flimit=1', 'x'.repeat(65)])
    assert.equal((await app.inject(`/api/orders/${id}`)).statusCode, 400, id)
})

test('pushed events move the stock: an order takes, a failed payment gives back, a completed one does nothing', async (context) => {
  const { app, push } = await given(context, json(200, {}))
  const left = async () =>
    (await app.inject('/api/products')).json<{ products: { stock: number }[] }>().products[0]?.stock

  const stocks = []
  for (const [url, event] of [
    ['/events/orders', orderCreated()],
    ['/events/payments', paymentCompleted({ data: { orderId: 'other' } })],
    ['/events/payments', paymentFailed()],
  ] as const) {
    assert.equal((await push(url, event)).statusCode, 204)
    stocks.push(await left())
  }

  assert.deepEqual(stocks, [1, 1, 2])
})

test('an order for a product that is not ours is 404, which the sidecar takes to the dead-letter topic', async (context) => {
  const { push } = await given(context, json(200, {}))

  const response = await push('/events/orders', orderCreated({ data: { productId: 'doughnut-mug' } }))

  assert.equal(response.statusCode, 404)
})
