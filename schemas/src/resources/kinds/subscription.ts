import {
  DEFAULT_DELIVERY_RETRY,
  DEFAULT_DELIVERY_TIMEOUT_MS,
  DEFAULT_MAX_IN_FLIGHT,
  DEFAULT_START_AT,
  defaultDeadLetterTopic,
} from '../defaults.ts'
import { type LocatedFault, locatedFault, showValue } from '../fault.ts'
import { FORMATS } from '../formats.ts'
import { type KindDefinition, member } from './definition.ts'
import { map, oneOf, resource, text, wholeNumber } from './shapes.ts'

/** Kafka takes a partition away from a consumer that is silent for five minutes (max.poll.interval.ms). */
const MAX_DELIVERY_MS = 300_000

const spec = map(
  {
    topic: text('kafka-name', 'The topic, by its name in Kafka.'),
    service: text('dns-label', 'A Service of the same namespace; its sidecars consume and deliver.'),
    path: text('path', 'Where each record is posted.'),
    group: text('group-name', 'The consumer group; the name of the service where absent.'),
    startAt: { ...oneOf(['earliest', 'latest'], 'Where a new group begins.'), default: DEFAULT_START_AT },
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
    }),
    deadLetterTopic: text(
      'kafka-name',
      'Where a record goes that cannot be delivered; <topic>.<group>.dlt where absent.',
    ),
  },
  ['topic', 'service', 'path'],
)

export const subscription: KindDefinition<'Subscription'> = {
  kind: 'Subscription',
  plural: 'subscriptions',
  schema: resource({ kind: 'Subscription', spec }),
  check: (input) => [
    ...deadLetterFaults(member(input, 'spec')),
    ...backoffFaults(member(member(input, 'spec'), 'retry')),
  ],
  complete: ({ spec: given }) => {
    const group = given.group ?? given.service
    return {
      topic: given.topic,
      service: given.service,
      path: given.path,
      group,
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
  const derived = defaultDeadLetterTopic(topic, group)
  if (given !== undefined || FORMATS['kafka-name'].test(derived) || !FORMATS['kafka-name'].test(topic))
    return []
  if (!FORMATS['group-name'].test(group)) return []
  return [
    locatedFault({
      at,
      expected: `a name, because the one made of topic and group is not ${FORMATS['kafka-name'].expected}`,
      came: showValue(derived),
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
