import type { FastifyInstance } from 'fastify'
import type { Outbox } from '../chassis/outbox.ts'
import { registerPush } from '../chassis/push.ts'
import { traceHeaders } from '../chassis/trace.ts'
import { HttpError } from '../chassis/web-app.ts'
import { PAYMENT_COMPLETED, PAYMENT_FAILED } from '../events/shop-events.ts'
import { IdempotencyConflictError, type NewOrder, type Orders } from './orders.ts'

export interface OrderRoutes {
  readonly orders: Orders
  readonly outbox: Outbox
  /** Called after an order and its event are stored, before the answer. */
  readonly onStored: () => void
}

const NEW_ORDER = {
  type: 'object',
  additionalProperties: false,
  required: ['productId', 'quantity', 'unitPriceCents', 'currency', 'card'],
  properties: {
    productId: { type: 'string', pattern: '^[a-z0-9-]{1,64}$' },
    quantity: { type: 'integer', minimum: 1, maximum: 99 },
    unitPriceCents: { type: 'integer', minimum: 0, maximum: 100_000_000 },
    currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    card: { type: 'string', pattern: '^[0-9]{12,19}$' },
  },
}
const IDEMPOTENCY_HEADERS = {
  type: 'object',
  properties: { 'idempotency-key': { type: 'string', minLength: 1, maxLength: 128 } },
}
const LIST_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'string', pattern: '^[1-9][0-9]{0,2}$' },
    idempotencyKey: { type: 'string', minLength: 1, maxLength: 128 },
  },
}
const DEFAULT_LIMIT = 20

/** The HTTP side of order-service: orders for product-service, payments pushed by the sidecar. */
export function registerOrderRoutes(app: FastifyInstance, { orders, outbox, onStored }: OrderRoutes): void {
  app.post<{ Body: NewOrder; Headers: { 'idempotency-key'?: string } }>(
    '/orders',
    { schema: { body: NEW_ORDER, headers: IDEMPOTENCY_HEADERS } },
    async (request, reply) => {
      const trace = traceHeaders(request.headers)
      const { order, replayed } = placeOrConflict(() =>
        orders.place(request.body, { idempotencyKey: request.headers['idempotency-key'], trace }),
      )
      if (replayed) reply.header('idempotent-replayed', 'true')
      else {
        request.log.info({ orderId: order.orderId, productId: order.productId }, 'order stored')
        onStored()
      }
      const { orderId, status, traceId } = order
      return reply.code(201).header('location', `/orders/${orderId}`).send({ orderId, status, traceId })
    },
  )

  app.get<{ Querystring: { limit?: string; idempotencyKey?: string } }>(
    '/orders',
    { schema: { querystring: LIST_QUERY } },
    async (request) => {
      const { limit, idempotencyKey } = request.query
      if (idempotencyKey === undefined) return { orders: orders.latest(Number(limit ?? DEFAULT_LIMIT)) }
      const order = orders.byIdempotencyKey(idempotencyKey)
      return { orders: order === undefined ? [] : [order] }
    },
  )

  app.get<{ Params: { orderId: string } }>('/orders/:orderId', async (request) => {
    const order = orders.get(request.params.orderId)
    if (order === undefined) throw new HttpError(404, 'there is no order with this id')
    return order
  })

  app.get('/outbox', async () => outbox.summary())

  registerPush(app, '/events/payments', (event, log) => {
    if (event.type !== PAYMENT_COMPLETED && event.type !== PAYMENT_FAILED) return
    const { orderId } = event.data
    const settlement = orders.settle(event)
    // Refused, so that the sidecar puts it into the dead-letter topic where somebody sees it.
    if (settlement === 'unknown-order') throw new HttpError(404, `there is no order ${orderId} to settle`)
    if (settlement === 'already-final')
      log.warn({ orderId, type: event.type }, 'payment for an order that is final')
    else log.info({ orderId, type: event.type, settlement }, 'payment heard')
  })
}

function placeOrConflict<T>(place: () => T): T {
  try {
    return place()
  } catch (error) {
    if (error instanceof IdempotencyConflictError) throw new HttpError(422, error.message)
    throw error
  }
}
