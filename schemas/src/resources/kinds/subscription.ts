import { filterFault } from '../../event-filter.ts'
import { VALUE_FORMATS } from '../../snapshot-topics.ts'
import {
  DEFAULT_DELIVERY_RETRY,
  DEFAULT_DELIVERY_TIMEOUT_MS,
  DEFAULT_MAX_IN_FLIGHT,
  DEFAULT_START_AT,
  defaultDeadLetterTopic,
  redriveTopic,
  retryTopic,
} from '../defaults.ts'
import { type LocatedFault, locatedFault, showValue } from '../fault.ts'
import { FORMATS } from '../formats.ts'
import { entries, type KindDefinition, member } from './definition.ts'
import { list, map, oneOf, resource, text, wholeNumber } from './shapes.ts'

/** Kafka takes a partition away from a consumer that is silent for five minutes (max.poll.interval.ms). */
const MAX_DELIVERY_MS = 300_000
/** What is shorter is a backoff. */
const MIN_LATER_MS = 1_000
/** A week, for which brokers keep records where nobody says otherwise. */
const MAX_LATER_MS = 604_800_000
const MAX_LATER = 8

const spec = map(
  {
    topic: text('kafka-name', 'The topic, by its name in Kafka.'),
    service: text('dns-label', 'A Service of the same namespace; its sidecars consume and deliver.'),
    path: text(
      'path',
      'Where each record is posted. Where absent, the service takes the records itself, over gRPC or server-sent events.',
    ),
    group: text('group-name', 'The consumer group; the name of the service where absent.'),
    format: oneOf(
      VALUE_FORMATS,
      'How values are given where the topic has a schema: json, or raw as they are stored; json where absent.',
    ),
    filter: text(
      'expression',
      'Which records are delivered, in CEL over event (attributes of a CloudEvent), headers and key, all of them text; the others are passed over. Every one where absent.',
    ),
    startAt: {
      ...text(
        'start-at',
        'Where a new group begins: earliest, latest, or the first record of a time or later.',
      ),
      default: DEFAULT_START_AT,
    },
    maxInFlight: {
      ...wholeNumber(1, 1024, 'Keys of one partition in delivery at once; 1 is strict order.'),
      default: DEFAULT_MAX_IN_FLIGHT,
    },
    timeoutMs: {
      ...wholeNumber(1, MAX_DELIVERY_MS, 'For one attempt.'),
      default: DEFAULT_DELIVERY_TIMEOUT_MS,
    },
    retry: map({
      attempts: {
        ...wholeNumber(0, 100, 'Attempts after the first.'),
        default: DEFAULT_DELIVERY_RETRY.attempts,
      },
      backoffBaseMs: {
        ...wholeNumber(1, MAX_DELIVERY_MS, 'Pause before the second attempt; doubles.'),
        default: DEFAULT_DELIVERY_RETRY.backoffBaseMs,
      },
      backoffMaxMs: {
        ...wholeNumber(1, MAX_DELIVERY_MS, 'Longest pause.'),
        default: DEFAULT_DELIVERY_RETRY.backoffMaxMs,
      },
      laterMs: list(
        wholeNumber(MIN_LATER_MS, MAX_LATER_MS, 'How long the record waits before it.'),
        'More attempts, one after each of these, from topics of their own: <topic>.<group>.retry.10m. Others go on meanwhile.',
        MAX_LATER,
      ),
    }),
    deadLetterTopic: text(
      'kafka-name',
      'Where a record goes that cannot be delivered; <topic>.<group>.dlt where absent.',
    ),
  },
  ['topic', 'service'],
)

export const subscription: KindDefinition<'Subscription'> = {
  kind: 'Subscription',
  plural: 'subscriptions',
  schema: resource({ kind: 'Subscription', spec }),
  check: (input) => [
    ...deadLetterFaults(member(input, 'spec')),
    ...backoffFaults(member(member(input, 'spec'), 'retry')),
    ...laterFaults(member(input, 'spec')),
    ...filterFaults(member(member(input, 'spec'), 'filter')),
  ],
  complete: ({ spec: given }) => {
    const group = given.group ?? given.service
    return {
      topic: given.topic,
      service: given.service,
      ...(given.path !== undefined && { path: given.path }),
      group,
      ...(given.format !== undefined && { format: given.format }),
      ...(given.filter !== undefined && { filter: given.filter }),
      startAt: given.startAt ?? DEFAULT_START_AT,
      maxInFlight: given.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT,
      timeoutMs: given.timeoutMs ?? DEFAULT_DELIVERY_TIMEOUT_MS,
      retry: { ...DEFAULT_DELIVERY_RETRY, ...given.retry },
      deadLetterTopic: given.deadLetterTopic ?? defaultDeadLetterTopic(given.topic, group),
    }
  },
}

/** A dead letter must be able to leave: into a topic that Kafka can have, and not the one that it failed in. */
function deadLetterFaults(spec: unknown): readonly LocatedFault[] {
  const topic = member(spec, 'topic')
  const given = member(spec, 'deadLetterTopic')
  const group = member(spec, 'group') ?? member(spec, 'service')
  if (typeof topic !== 'string' || typeof group !== 'string') return []
  const at = ['spec', 'deadLetterTopic']
  if (given === topic)
    return [
      locatedFault({ at, expected: 'another topic than the one that is consumed', came: showValue(given) }),
    ]
  const derived = redriveTopic(topic, group)
  if (FORMATS['kafka-name'].test(derived) || !FORMATS['kafka-name'].test(topic)) return []
  if (!FORMATS['group-name'].test(group)) return []
  return [
    locatedFault({
      at: ['spec', 'topic'],
      expected: `topic and group whose names together are ${FORMATS['kafka-name'].expected}`,
      came: showValue(derived),
    }),
  ]
}

/** Each waits in a topic of its own, whose name has to be one, and to be its own. */
function laterFaults(spec: unknown): readonly LocatedFault[] {
  const topic = member(spec, 'topic')
  const group = member(spec, 'group') ?? member(spec, 'service')
  if (typeof topic !== 'string' || typeof group !== 'string') return []
  const seen = new Set<unknown>()
  return entries(member(member(spec, 'retry'), 'laterMs')).flatMap(([index, delayMs]) => {
    const at = ['spec', 'retry', 'laterMs', index]
    if (typeof delayMs !== 'number') return []
    const isRepeated = seen.has(delayMs)
    seen.add(delayMs)
    if (isRepeated) return [locatedFault({ at, expected: 'each of them once', came: `${delayMs} again` })]
    const name = retryTopic(topic, group, delayMs)
    if (FORMATS['kafka-name'].test(name)) return []
    return [
      locatedFault({
        at,
        expected: `topic and group whose retry topic is ${FORMATS['kafka-name'].expected}`,
        came: showValue(name),
      }),
    ]
  })
}

function filterFaults(filter: unknown): readonly LocatedFault[] {
  if (typeof filter !== 'string') return []
  const fault = filterFault(filter)
  if (fault === undefined) return []
  return [
    locatedFault({
      at: ['spec', 'filter'],
      expected: `an expression in CEL (${fault})`,
      came: showValue(filter),
    }),
  ]
}

function backoffFaults(retry: unknown): readonly LocatedFault[] {
  const base = member(retry, 'backoffBaseMs') ?? DEFAULT_DELIVERY_RETRY.backoffBaseMs
  const most = member(retry, 'backoffMaxMs') ?? DEFAULT_DELIVERY_RETRY.backoffMaxMs
  if (typeof base !== 'number' || typeof most !== 'number' || base <= most) return []
  const key = member(retry, 'backoffMaxMs') === undefined ? 'backoffBaseMs' : 'backoffMaxMs'
  return [
    locatedFault({
      at: ['spec', 'retry', key],
      expected: 'backoffBaseMs at most backoffMaxMs',
      came: `${base} and ${most}`,
    }),
  ]
}
