import type { FastifyInstance } from 'fastify'
import { registerPush } from '../chassis/push.ts'
import { traceHeaders, traceIdOf } from '../chassis/trace.ts'
import { HttpError } from '../chassis/web-app.ts'
import { ORDER_CREATED, PAYMENT_FAILED } from '../events/shop-events.ts'
import { CURRENCY } from './catalogue.ts'
import type { OrderClient } from './order-client.ts'
import type { Stock } from './stock.ts'

export interface ProductRoutes {
  readonly stock: Stock
  readonly orders: OrderClient
  readonly dashboardUrl: string | undefined
}

interface BuyRequest {
  readonly productId: string
  readonly quantity: number
  readonly card: string
}

const BUY = {
  type: 'object',
  additionalProperties: false,
  required: ['productId', 'quantity', 'card'],
  properties: {
    productId: { type: 'string', pattern: '^[a-z0-9-]{1,64}$' },
    quantity: { type: 'integer', minimum: 1, maximum: 99 },
    card: { type: 'string', pattern: '^[0-9]{12,19}$' },
  },
}

/** It becomes part of a path that we ask for: nothing that could lead elsewhere. */
const ORDER_ID = {
  type: 'object',
  properties: { orderId: { type: 'string', pattern: '^[a-zA-Z0-9-]{1,64}$' } },
}

/** What the shop page asks for. */
export function registerShopApi(app: FastifyInstance, { stock, orders, dashboardUrl }: ProductRoutes): void {
  const traceLink = (traceId: string | null | undefined) =>
    dashboardUrl === undefined || typeof traceId !== 'string'
      ? {}
      : { traceUrl: `${dashboardUrl}/traces/${traceId}` }

  app.get('/api/products', async () => ({ currency: CURRENCY, products: stock.products() }))

  app.post<{ Body: BuyRequest; Headers: { 'idempotency-key'?: string } }>(
    '/api/orders',
    { schema: { body: BUY } },
    async (request, reply) => {
      const { productId, quantity, card } = request.body
      const product = stock.product(productId)
      if (product === undefined) throw new HttpError(404, `the shop has no product ${productId}`)
      const trace = traceHeaders(request.headers)
      const key = request.headers['idempotency-key']
      // A friendly check, not the reservation: that one happens once, when OrderCreated comes back to us.
      if (product.stock < quantity) {
        // Who bought the last piece and lost our answer asks again with the same key, and is not to hear "sold out".
        const placed = key === undefined ? undefined : await orders.byKey(key, trace)
        if (placed === undefined) throw new HttpError(409, soldOut(product.name, product.stock))
        const { orderId, status, traceId } = placed
        return reply.code(201).send({ orderId, status, traceId, ...traceLink(traceId) })
      }
      const { orderId, status } = await orders.place(
        { productId, quantity, card, unitPriceCents: product.priceCents, currency: CURRENCY },
        key,
        trace,
      )
      const traceId = traceIdOf(trace) ?? null
      request.log.info({ orderId, productId, quantity }, 'ordered')
      return reply.code(201).send({ orderId, status, traceId, ...traceLink(traceId) })
    },
  )

  app.get<{ Querystring: { limit?: string } }>('/api/orders', async (request) => {
    const latest = await orders.latest(request.query.limit, traceHeaders(request.headers))
    return { orders: latest.map((order) => ({ ...order, ...traceLink(order.traceId) })) }
  })

  app.get<{ Params: { orderId: string } }>(
    '/api/orders/:orderId',
    { schema: { params: ORDER_ID } },
    async (request) => {
      const order = await orders.get(request.params.orderId, traceHeaders(request.headers))
      return { ...order, ...traceLink(order.traceId) }
    },
  )
}

const soldOut = (name: string, left: number): string =>
  left === 0 ? `${name} is sold out` : `only ${left} of ${name} left`

/** What the sidecar delivers from the topics; see mesh/subscriptions.yaml. */
export function registerEvents(app: FastifyInstance, stock: Stock): void {
  registerPush(app, '/events/orders', (event, log) => {
    if (event.type !== ORDER_CREATED) return
    const { orderId, productId } = event.data
    const reservation = stock.reserve(event)
    if (reservation === 'unknown-product')
      throw new HttpError(404, `order ${orderId} is for ${productId}, which the shop does not have`)
    log[reservation === 'backorder' ? 'warn' : 'info']({ orderId, productId, reservation }, 'order heard')
  })

  registerPush(app, '/events/payments', (event, log) => {
    if (event.type !== PAYMENT_FAILED) return
    const release = stock.release(event)
    log.info({ orderId: event.data.orderId, release }, 'failed payment heard')
  })
}
