import type { FastifyInstance } from 'fastify'
import { fromHttp } from '../events/cloud-event.ts'
import { asShopEvent, type ShopEvent } from '../events/shop-events.ts'
import type { Log } from './log.ts'

/** As much as a topic lets a record hold, and then some. */
const MAX_EVENT_BYTES = 2 * 1024 * 1024

/**
 * A path that the sidecar delivers events to (a Subscription): one POST per record, a CloudEvent in binary
 * mode. 204 acknowledges; a 4xx sends it to the dead-letter topic at once; anything else comes again. Types that
 * are not the shop's are acknowledged and ignored: a topic may carry more than a reader knows.
 */
export function registerPush(
  app: FastifyInstance,
  path: string,
  handle: (event: ShopEvent, log: Log) => void,
): void {
  app.post(path, { bodyLimit: MAX_EVENT_BYTES }, async (request, reply) => {
    const event = asShopEvent(fromHttp(request.headers, request.body))
    if (event === undefined) request.log.debug({ type: request.headers['ce-type'] }, 'event ignored')
    else handle(event, request.log.child({ eventId: event.id }))
    return reply.code(204).send()
  })
}
