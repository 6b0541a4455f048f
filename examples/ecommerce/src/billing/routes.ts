import type { FastifyInstance } from 'fastify'
import type { Outbox } from '../chassis/outbox.ts'
import type { Payments } from './payments.ts'
import type { Rejected } from './rejected.ts'

const PAYMENTS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { orderId: { type: 'string', minLength: 1, maxLength: 64 } },
}
const LATEST = 100

/** For people and tests on the same host; no policy lets anybody in the mesh ask. */
export function registerBillingRoutes(
  app: FastifyInstance,
  parts: { readonly payments: Payments; readonly outbox: Outbox; readonly rejected: Rejected },
): void {
  app.get<{ Querystring: { orderId?: string } }>(
    '/payments',
    { schema: { querystring: PAYMENTS_QUERY } },
    async ({ query: { orderId } }) => ({
      payments: orderId === undefined ? parts.payments.latest(LATEST) : parts.payments.byOrder(orderId),
    }),
  )
  app.get('/outbox', async () => parts.outbox.summary())
  app.get('/rejected', async () => ({ records: parts.rejected.latest() }))
}
