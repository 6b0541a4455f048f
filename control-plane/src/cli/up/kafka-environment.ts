import { usageError } from '../errors.ts'
import type { KafkaSecurity } from './kafka.ts'

const SECURITIES: readonly KafkaSecurity[] = ['plaintext', 'tls', 'mtls']
const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^:\s,]+):\d{1,5}$/

/** The broker that KAFKA_BROKERS names, if it is set; KAFKA_SECURITY says how to talk to it. */
export function kafkaFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): { readonly bootstrapServers: readonly string[]; readonly security: KafkaSecurity } | undefined {
  const brokers = env.KAFKA_BROKERS
  if (brokers === undefined || brokers === '') return undefined
  const bootstrapServers = brokers.split(',').map((broker) => broker.trim())
  const wrong = bootstrapServers.find((broker) => !ADDRESS.test(broker))
  if (wrong !== undefined)
    throw usageError(`KAFKA_BROKERS: expected host:port, several with commas, came ${JSON.stringify(wrong)}`)
  const asked =
    env.KAFKA_SECURITY === undefined || env.KAFKA_SECURITY === '' ? 'plaintext' : env.KAFKA_SECURITY
  const security = SECURITIES.find((known) => known === asked)
  if (security === undefined)
    throw usageError(
      `KAFKA_SECURITY: expected one of ${SECURITIES.join(', ')}, came ${JSON.stringify(asked)}`,
    )
  return { bootstrapServers, security }
}
