/** What has to be done so that a topic is as its resource says, as far as that loses nothing. Pure. */
import type { WantedTopic } from '../translate/index.ts'

/** A topic as the broker has it. */
export interface ActualTopic {
  readonly partitions: number
  readonly replicas: number
  readonly config: Readonly<Record<string, string>>
}

export type TopicPlan =
  | { readonly step: 'create' }
  | {
      readonly step: 'adjust'
      /** The new count, where there are too few. */
      readonly partitions?: number
      /** Settings that differ. */
      readonly config: Readonly<Record<string, string>>
      /** What differs and is left as it is. */
      readonly differences: readonly string[]
    }

/** Kafka's limit counts the batch that a record travels in and the headers that the sidecar adds; the resource's counts the record. */
const BATCH_OVERHEAD_BYTES = 1024

/** The settings of a topic as Kafka takes them. Settings that are not named are the broker's business. */
export function configOf({ config, maxMessageBytes }: WantedTopic): Readonly<Record<string, string>> {
  return { ...config, 'max.message.bytes': String(maxMessageBytes + BATCH_OVERHEAD_BYTES) }
}

export function planTopic(wanted: WantedTopic, actual: ActualTopic | undefined): TopicPlan {
  if (actual === undefined) return { step: 'create' }
  const differences: string[] = []
  if (wanted.partitions < actual.partitions)
    differences.push(
      `it has ${actual.partitions} partitions, not ${wanted.partitions}: Kafka cannot take any away`,
    )
  if (wanted.replicationFactor !== actual.replicas)
    differences.push(
      `it has ${actual.replicas} replicas, not ${wanted.replicationFactor}: reassign its partitions with Kafka's own tools`,
    )
  const config = Object.entries(configOf(wanted)).filter(([name, value]) => actual.config[name] !== value)
  return {
    step: 'adjust',
    ...(wanted.partitions > actual.partitions && { partitions: wanted.partitions }),
    config: Object.fromEntries(config),
    differences,
  }
}
