import type { EachMessagePayload } from 'kafkajs'
import { openDatabase } from '../chassis/database.ts'
import type { Log } from '../chassis/log.ts'
import { Outbox } from '../chassis/outbox.ts'
import type { Service } from '../chassis/process.ts'
import { Relay } from '../chassis/relay.ts'
import { traceHeaders, traceIdOf } from '../chassis/trace.ts'
import { createWebApp } from '../chassis/web-app.ts'
import { fromKafka, InvalidEventError } from '../events/cloud-event.ts'
import { asShopEvent, ORDER_CREATED } from '../events/shop-events.ts'
import { type RunningConsumer, startConsumer } from './consumer.ts'
import { createKafka } from './kafka.ts'
import { BILLING_MIGRATIONS, Payments } from './payments.ts'
import { createProducer } from './producer.ts'
import { Rejected } from './rejected.ts'
import { registerBillingRoutes } from './routes.ts'
import type { BillingSettings } from './settings.ts'

const NAME = 'billing-service'

/** Starts billing-service; resolves when it listens. `/ready` tells when it has joined its consumer group. */
export async function startBillingService(settings: BillingSettings): Promise<Service> {
  const database = openDatabase(settings.dataDir, NAME, BILLING_MIGRATIONS)
  let consumer: RunningConsumer | undefined
  const app = createWebApp({
    name: NAME,
    logLevel: settings.logLevel,
    isReady: () => database.isOpen && consumer?.joined === true,
  })
  const outbox = new Outbox(database)
  const payments = new Payments(database, outbox)
  const rejected = new Rejected(database)
  registerBillingRoutes(app, { payments, outbox, rejected })

  const kafka = createKafka(settings.kafkaBrokers, app.log)
  const producer = createProducer(kafka)
  const relay = new Relay({ outbox, log: app.log, publish: (entry) => producer.publish(entry) })

  await app.listen({ host: '127.0.0.1', port: settings.port })
  relay.wake()
  consumer = startConsumer({
    kafka,
    groupId: NAME,
    topic: 'orders',
    log: app.log,
    onRecord(record) {
      takePayment(record, { payments, rejected, log: app.log })
      relay.wake()
    },
  })
  return {
    app,
    async stop() {
      // What brings work goes first, what finishes it after.
      await Promise.all([consumer.stop(), app.close()])
      await relay.stop()
      await producer.stop()
      database.close()
    },
  }
}

/** Returns when the record has had its effect, whatever it was; throws only if the database does. */
export function takePayment(
  { topic, partition, message }: Pick<EachMessagePayload, 'topic' | 'partition' | 'message'>,
  to: { readonly payments: Payments; readonly rejected: Rejected; readonly log: Log },
): void {
  const headers = message.headers ?? {}
  const trace = traceHeaders(headers)
  const log = to.log.child({ traceId: traceIdOf(trace), topic, partition, offset: message.offset })
  try {
    const event = asShopEvent(fromKafka(headers, message.value))
    if (event?.type !== ORDER_CREATED) return
    const payment = to.payments.take(event, trace)
    log.info({ orderId: event.data.orderId, eventId: event.id, payment }, 'order heard')
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error
    const { offset, key, value } = message
    to.rejected.keep({ topic, partition, offset, key, value }, error.message)
    log.error({ reason: error.message }, 'record put aside: see GET /rejected')
  }
}
