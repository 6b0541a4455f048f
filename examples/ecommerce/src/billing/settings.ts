import { type CommonSettings, type Environment, SettingsReader } from '../chassis/settings.ts'

export interface BillingSettings extends CommonSettings {
  /** Kafka, as any Kafka client is told: here the wire proxy of the own sidecar. */
  readonly kafkaBrokers: readonly string[]
}

/** Throws a SettingsError that lists every fault. */
export function billingSettings(environment: Environment): BillingSettings {
  const reader = new SettingsReader(environment)
  return reader.complete({
    ...reader.common('billing-service', 8082),
    kafkaBrokers: reader.requiredAddresses(['KAFKA_BROKERS', 'WEFT_KAFKA_BOOTSTRAP']),
  })
}
