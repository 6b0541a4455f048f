import {
  avroType,
  COMPATIBILITY_LEVELS,
  jsonValidator,
  MAX_SCHEMA_CHARACTERS,
} from '../../event-schema/index.ts'
import {
  COMPRESSIONS,
  DEFAULT_DURABILITY,
  DEFAULT_PRODUCER,
  DEFAULT_RECORD_TRACE,
  DEFAULT_SCHEMA_VALIDATION,
  DURABILITIES,
  RECORD_TRACES,
  SCHEMA_VALIDATIONS,
} from '../../snapshot-topics.ts'
import { DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_PARTITIONS, DEFAULT_REPLICATION_FACTOR } from '../defaults.ts'
import { type LocatedFault, locatedFault, showValue } from '../fault.ts'
import type { ResourceInputOfKind, TopicSchemaSpec } from '../types.ts'
import { type KindDefinition, member } from './definition.ts'
import { list, map, oneOf, resource, text, wholeNumber } from './shapes.ts'
import { percent } from './traffic-policy-balancing.ts'

/** Above it, a broker spends more on a partition's bookkeeping than on its records; a typing error, then. */
const MAX_PARTITIONS = 10_000
/** Kafka's length fields are signed 32 bit; a quarter of that is the most any client of ours would buffer. */
const MAX_MESSAGE_BYTES = 536_870_912

/** An event waits for its acknowledgement ten seconds by default: longer waiting before it leaves is a typing error. */
const MAX_LINGER_MS = 5_000

/** Clients give up their request after half a minute. */
const MAX_FAULT_DELAY_MS = 60_000
/** More than a network has. */
const MAX_BYTES_PER_SECOND = 1_000_000_000_000

const spec = map({
  name: text('kafka-name', 'The name in Kafka, where metadata.name cannot be it.'),
  partitions: { ...wholeNumber(1, MAX_PARTITIONS, 'Can grow, never shrink.'), default: DEFAULT_PARTITIONS },
  replicationFactor: {
    ...wholeNumber(1, 100, 'Copies of each partition, when the topic is created.'),
    default: DEFAULT_REPLICATION_FACTOR,
  },
  config: {
    type: 'object',
    propertyNames: { type: 'string', format: 'config-key' },
    additionalProperties: { type: ['string', 'number', 'boolean'], maxLength: 4096 },
    maxProperties: 64,
    description: "Kafka's own settings of a topic.",
    default: {},
  },
  maxMessageBytes: {
    ...wholeNumber(1, MAX_MESSAGE_BYTES, 'Largest record: key, value and headers.'),
    default: DEFAULT_MAX_MESSAGE_BYTES,
  },
  producer: map({
    lingerMs: {
      ...wholeNumber(0, MAX_LINGER_MS, 'How long an event waits for others to leave with it.'),
      default: DEFAULT_PRODUCER.lingerMs,
    },
    batchBytes: {
      ...wholeNumber(
        1,
        DEFAULT_PRODUCER.batchBytes,
        'A batch of this size does not wait, and takes no more.',
      ),
      default: DEFAULT_PRODUCER.batchBytes,
    },
    compression: {
      ...oneOf(COMPRESSIONS, 'How the records of a batch are packed.'),
      default: DEFAULT_PRODUCER.compression,
    },
  }),
  durability: {
    ...oneOf(
      DURABILITIES,
      'Where an event must be before it is answered: in the log, or on the disk of the sidecar while the broker is away.',
    ),
    default: DEFAULT_DURABILITY,
  },
  trace: {
    ...oneOf(
      RECORD_TRACES,
      'Which records of Kafka clients get a trace context and spans: none, those in batches that are not packed, or all, packed batches being unpacked for it.',
    ),
    default: DEFAULT_RECORD_TRACE,
  },
  quota: map({
    produceBytesPerSecond: wholeNumber(
      1,
      MAX_BYTES_PER_SECOND,
      'That each workload may send with a Kafka client; beyond it, clients are asked to wait.',
    ),
    consumeBytesPerSecond: wholeNumber(1, MAX_BYTES_PER_SECOND, 'That each workload may fetch.'),
  }),
  faults: list(
    map({
      operations: list(oneOf(['produce', 'consume'], 'Both where absent.'), 'Which requests.', 2),
      delay: map(
        {
          percent: percent('Of the requests.'),
          fixedMs: wholeNumber(1, MAX_FAULT_DELAY_MS, 'How much later their answer comes.'),
        },
        ['percent', 'fixedMs'],
      ),
      notLeader: map({ percent: percent('Of the requests, answered with NOT_LEADER_OR_FOLLOWER.') }, [
        'percent',
      ]),
      disconnect: map({ percent: percent('Of the requests, in place of which the connection ends.') }, [
        'percent',
      ]),
    }),
    'Faults that Kafka clients get on purpose; the first that speaks of the operation applies.',
    8,
  ),
  schema: map(
    {
      type: oneOf(['avro', 'json'], 'Publishers send JSON in either case: Avro is how it is stored.'),
      subject: text(
        'schema-subject',
        'In the schema registry; <name>-value where absent, as Kafka clients look for it.',
      ),
      definition: {
        type: ['string', 'object'],
        maxLength: MAX_SCHEMA_CHARACTERS,
        description: 'The schema, which is registered; where absent, the latest of the subject holds.',
      },
      validation: {
        ...oneOf(
          SCHEMA_VALIDATIONS,
          'What is looked at of records from Kafka clients: the id of their schema, the value in full, or nothing.',
        ),
        default: DEFAULT_SCHEMA_VALIDATION,
      },
      compatibility: oneOf(
        COMPATIBILITY_LEVELS,
        'Which changes of the schema are let in; what the registry is set to where absent.',
      ),
    },
    ['type'],
  ),
})

export const topic: KindDefinition<'Topic'> = {
  kind: 'Topic',
  plural: 'topics',
  schema: resource({ kind: 'Topic', spec }),
  check: (input) => [...sizeSaidTwice(input), ...schemaFaults(member(member(input, 'spec'), 'schema'))],
  complete: ({ metadata, spec: given }) => ({
    name: given.name ?? metadata.name,
    partitions: given.partitions ?? DEFAULT_PARTITIONS,
    replicationFactor: given.replicationFactor ?? DEFAULT_REPLICATION_FACTOR,
    config: Object.fromEntries(
      Object.entries(given.config ?? {}).map(([key, value]) => [key, String(value)]),
    ),
    maxMessageBytes: given.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
    producer: { ...DEFAULT_PRODUCER, ...given.producer },
    durability: given.durability ?? DEFAULT_DURABILITY,
    trace: given.trace ?? DEFAULT_RECORD_TRACE,
    ...(given.quota !== undefined && { quota: given.quota }),
    ...(given.faults !== undefined && { faults: given.faults }),
    ...(given.schema !== undefined && {
      schema: completeSchema(given.schema, given.name ?? metadata.name),
    }),
  }),
}

function completeSchema(
  { definition, ...given }: NonNullable<ResourceInputOfKind<'Topic'>['spec']['schema']>,
  topicName: string,
): TopicSchemaSpec {
  return {
    ...given,
    validation: given.validation ?? DEFAULT_SCHEMA_VALIDATION,
    subject: given.subject ?? `${topicName}-value`,
    ...(definition !== undefined && {
      definition: typeof definition === 'string' ? definition : JSON.stringify(definition),
    }),
  }
}

/** A schema that is none is found out when it is written down, not when the first event comes. */
function schemaFaults(schema: unknown): readonly LocatedFault[] {
  const definition = member(schema, 'definition')
  const type = member(schema, 'type')
  if (definition === undefined || (type !== 'avro' && type !== 'json')) return []
  const text = typeof definition === 'string' ? definition : JSON.stringify(definition)
  try {
    if (type === 'avro') avroType({ type: 'AVRO', text })
    else jsonValidator({ type: 'JSON', text })
    return []
  } catch (error) {
    return [
      locatedFault({
        at: ['spec', 'schema', 'definition'],
        expected: type === 'avro' ? 'an Avro schema, in JSON' : 'a JSON Schema',
        came: error instanceof Error ? error.message.slice(0, 200) : String(error),
      }),
    ]
  }
}

function sizeSaidTwice(input: unknown): readonly LocatedFault[] {
  const value = member(member(member(input, 'spec'), 'config'), 'max.message.bytes')
  if (value === undefined) return []
  return [
    locatedFault({
      at: ['spec', 'config', 'max.message.bytes'],
      expected: 'the limit in spec.maxMessageBytes',
      came: `${showValue(value)} here`,
      hint: 'the sidecar enforces the limit too, so it is said in one place',
      onKey: true,
    }),
  ]
}
