import { BALANCERS, DEFAULT_TRAFFIC } from '../../snapshot-traffic.ts'
import { exactlyOne, labels, list, map, oneOf, onlyTrue, text, wholeNumber } from './shapes.ts'
import { MAX_DURATION_MS } from './traffic-policy-retry.ts'

const { loadBalancing: defaults } = DEFAULT_TRAFFIC

/** A percentage as a number of the schema, from 0. */
export const percent = (description: string) => wholeNumber(0, 100, description)

/** Headers that a request must have, all of them. */
export const headerMatches = (description: string) =>
  list(
    map(
      {
        name: text('token', 'Name of a header.'),
        value: text('field-value', 'The whole value; any where absent.'),
      },
      ['name'],
    ),
    description,
    16,
  )

const hashKey = exactlyOne({
  header: text('token', 'Value of this header.'),
  cookie: text('token', 'Value of this cookie.'),
  queryParameter: text('query-name', 'Value of this query parameter.'),
  sourceIdentity: onlyTrue('Identity of the caller.'),
})

export const loadBalancing = map({
  policy: {
    ...oneOf(
      BALANCERS,
      'leastRequest: of two drawn the one with less to do and shorter times; ringHash and maglev: by hashOn.',
    ),
    default: defaults.policy,
  },
  hashOn: list(hashKey, 'The first that a request has is its key; without any the endpoint is drawn.', 8),
  slowStart: map({
    windowMs: {
      ...wholeNumber(0, MAX_DURATION_MS, 'How long a new endpoint is spared; 0: not at all.'),
      default: defaults.slowStart.windowMs,
    },
    aggression: {
      type: 'number',
      minimum: 0.1,
      maximum: 10,
      description: '1: its share grows evenly; more: faster at first.',
      default: defaults.slowStart.aggression,
    },
    minWeightPercent: {
      ...percent('The share that it begins with.'),
      default: defaults.slowStart.minWeightPercent,
    },
  }),
  locality: map({
    prefer: {
      ...oneOf(
        ['none', 'zone'],
        'zone: endpoints with the caller’s label topology.kubernetes.io/zone first, others in their place as these get unhealthy.',
      ),
      default: defaults.locality.prefer,
    },
    failover: list(
      text('label-value', 'A zone.'),
      'Zones that stand in, in this order; all others come last, together.',
      16,
    ),
  }),
  panicThresholdPercent: {
    ...percent('When fewer endpoints than this are healthy, all of them are used.'),
    default: defaults.panicThresholdPercent,
  },
})

export const subsets = list(
  map(
    {
      name: text('dns-label', 'The name of the subset.'),
      labels: { ...labels('Workloads that have all of these labels.'), minProperties: 1 },
      headers: headerMatches('Requests that have all of these headers; every request where absent.'),
      fallback: {
        ...oneOf(
          ['none', 'any'],
          'When it has no endpoint: the request is refused, or any endpoint serves it.',
        ),
        default: 'none',
      },
    },
    ['name', 'labels'],
  ),
  'Parts of the service by label; the first whose headers match serves the request.',
  64,
)
