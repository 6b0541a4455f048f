import kafkajs, { type Kafka, type Producer } from 'kafkajs'
import type { OutboxEntry } from '../chassis/outbox.ts'
import type { Published } from '../chassis/relay.ts'
import { toKafkaHeaders } from '../events/cloud-event.ts'

/** Publishes outbox entries with the service's own Kafka client. */
export interface PaymentProducer {
  publish(entry: OutboxEntry): Promise<Published>
  stop(): Promise<void>
}

/** Refusals of the record itself (Kafka's names of its error codes); everything else may pass. */
const REFUSED_FOR_GOOD: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
])

/** Connects at the first publish, and again after each failure to connect. */
export function createProducer(kafka: Kafka): PaymentProducer {
  // Not kafkajs's idempotent producer: it knows nothing after a restart. The event id does, and readers look at that.
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    // The relay tries again, for as long as it takes; here only once more, after kafkajs has looked for the leader anew.
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 1 },
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  let connecting: Promise<Producer> | undefined
  const connected = (): Promise<Producer> => {
    connecting ??= producer.connect().then(
      () => producer,
      (error: unknown) => {
        connecting = undefined
        throw error
      },
    )
    return connecting
  }
  return {
    async publish({ topic, key, event, trace }) {
      const value = JSON.stringify(event.data)
      const headers = { ...toKafkaHeaders(event), ...trace }
      try {
        await (await connected()).send({ topic, acks: -1, messages: [{ key, value, headers }] })
      } catch (error) {
        if (error instanceof kafkajs.KafkaJSProtocolError && REFUSED_FOR_GOOD.has(error.type))
          return { result: 'park', reason: error.type }
        throw error
      }
      return { result: 'published' }
    },
    stop: () => producer.disconnect(),
  }
}
