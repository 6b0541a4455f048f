import { Kafka, type LogEntry, logLevel } from 'kafkajs'
import type { Log } from '../chassis/log.ts'

/**
 * kafkajs as any service configures it; nothing here knows of the mesh. Its own retries are short: what outlives
 * them (a broker that restarts, a policy that is being changed) is waited for by the consumer loop and the relay.
 */
export function createKafka(brokers: readonly string[], log: Log): Kafka {
  return new Kafka({
    clientId: 'billing-service',
    brokers: [...brokers],
    connectionTimeout: 3_000,
    requestTimeout: 6_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => forward(log, entry),
  })
}

/** At debug: kafkajs calls every lost connection an error, and what comes of it is logged where it is handled. */
function forward(log: Log, { namespace, log: details }: LogEntry): void {
  const { message, error, groupId, broker } = details as Readonly<Record<string, unknown>>
  log.debug({ kafkajs: namespace, error, groupId, broker }, String(message))
}
