import {
  redriveTopic,
  retryTopic,
  type SubscriptionResource,
  type TopicResource,
  type TopicSchemaSpec,
} from '@weft/schemas/resources'
import type { RetryTopic, TopicEntry, TopicSchema } from '@weft/schemas/snapshot'

/** A topic as Kafka should have it. */
export interface WantedTopic extends Omit<TopicEntry, 'schema'> {
  readonly schema?: TopicSchemaSpec
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

/** What the registry has of a topic's schema. */
export type SchemaLookup = (spec: TopicSchemaSpec) => TopicSchema

/** Then nothing is taken for the topic. */
export const nothingRegistered: SchemaLookup = ({ type, subject, validation }) => ({
  type: type === 'avro' ? 'AVRO' : 'JSON',
  subject,
  validation,
  versions: [],
})

/** A dead letter, or one that waits, is the record and, as headers, the story of its failure: it must fit where the record just fitted. */
const DEAD_LETTER_HEADROOM_BYTES = 65_536

/** Topic resources and, for each subscription, its dead-letter topic and those in which its records wait; the first to claim a name has it. By name. */
export function wantedTopics(
  topics: readonly TopicResource[],
  subscriptions: readonly SubscriptionResource[],
): readonly WantedTopic[] {
  const wanted = new Map<string, WantedTopic>()
  for (const { spec } of topics) if (!wanted.has(spec.name)) wanted.set(spec.name, spec)
  // A dead-letter topic can be consumed too, and then has one of its own: a pass for each such step, until none is left.
  for (let size = -1; size !== wanted.size; ) {
    size = wanted.size
    for (const { spec } of subscriptions) {
      const source = wanted.get(spec.topic)
      if (source === undefined) continue
      for (const name of [spec.deadLetterTopic, ...retryTopicsOf(spec).map(({ topic }) => topic)])
        if (!wanted.has(name)) wanted.set(name, topicOfFailures(name, source))
      const redrive = redriveTopic(spec.topic, spec.group)
      if (!wanted.has(redrive)) wanted.set(redrive, topicOfDecisions(redrive, source))
    }
  }
  return [...wanted.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** In the order in which a record goes through them. */
export const retryTopicsOf = ({ topic, group, retry }: SubscriptionResource['spec']): readonly RetryTopic[] =>
  (retry.laterMs ?? []).map((delayMs) => ({ topic: retryTopic(topic, group, delayMs), delayMs }))

const topicOfFailures = (name: string, source: WantedTopic): WantedTopic => ({
  name,
  partitions: source.partitions,
  replicationFactor: source.replicationFactor,
  config: {},
  maxMessageBytes: source.maxMessageBytes + DEAD_LETTER_HEADROOM_BYTES,
})

/** What a person has decided of dead letters: few, and for as long as there are dead letters. */
const topicOfDecisions = (name: string, source: WantedTopic): WantedTopic => ({
  ...topicOfFailures(name, source),
  partitions: 1,
  config: { 'retention.ms': '-1' },
})

/** The same as a sidecar is told them. */
export function topicEntries(
  topics: readonly TopicResource[],
  subscriptions: readonly SubscriptionResource[],
  schemaOf: SchemaLookup,
): readonly TopicEntry[] {
  return wantedTopics(topics, subscriptions).map(
    ({ name, partitions, maxMessageBytes, producer, durability, trace, quota, faults, schema }) => ({
      name,
      partitions,
      maxMessageBytes,
      ...(producer !== undefined && { producer }),
      ...(durability !== undefined && { durability }),
      ...(trace !== undefined && { trace }),
      ...(quota !== undefined && { quota }),
      ...(faults !== undefined && { faults }),
      ...(schema !== undefined && { schema: schemaOf(schema) }),
    }),
  )
}
