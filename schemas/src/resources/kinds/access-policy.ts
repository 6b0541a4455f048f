import { KAFKA_OPERATIONS } from '../../policy/types.ts'
import { DEFAULT_POLICY_ACTION, DEFAULT_POLICY_MODE } from '../defaults.ts'
import { type FaultPath, type LocatedFault, locatedFault, showValue } from '../fault.ts'
import { entries, isMap, type KindDefinition, member } from './definition.ts'
import { exactlyOne, list, map, oneOf, onlyTrue, port, resource, text } from './shapes.ts'

const target = exactlyOne({
  service: text('dns-label', 'A Service of the namespace of this policy.'),
  topic: text('topic-pattern', 'A Kafka topic.'),
  group: text('prefix-pattern', 'A consumer group.'),
  transactionalId: text('prefix-pattern', 'A transactional id of a producer.'),
  cluster: onlyTrue('The Kafka cluster itself.'),
  externalService: text('dns-name', 'An ExternalService of the namespace of this policy: who may call out.'),
  gateway: text('dns-name', 'A Gateway of the namespace of this policy: who may call in.'),
  mesh: onlyTrue('Everything.'),
})

const source = {
  ...map({
    serviceAccount: text(
      'dns-name',
      'A service account; of the namespace of this policy where `namespace` is absent.',
    ),
    namespace: text('dns-label', 'The namespace of the caller.'),
    identity: text('spiffe-pattern', 'The whole identity.'),
    anonymous: onlyTrue('A caller without identity, at an ingress.'),
    clientCertificate: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      description:
        'A name in the certificate of a caller from outside, at a Gateway that asks for one: DNS:partner.example or URI:spiffe://partner/*; "*" stands for anything.',
    },
    jwt: map(
      {
        provider: text('dns-name', 'A JwtProvider of the namespace of this policy.'),
        claims: {
          type: 'object',
          propertyNames: { type: 'string', minLength: 1, maxLength: 256 },
          additionalProperties: list(
            { type: 'string', maxLength: 1024 },
            'Values, one of which the claim has; "*" stands for anything.',
          ),
          minProperties: 1,
          maxProperties: 32,
          description:
            'Claims that must hold, all of them; dots lead into objects, as in realm_access.roles.',
        },
      },
      ['provider'],
    ),
  }),
  minProperties: 1,
}

const http = map({
  methods: list(text('method', 'An HTTP method.'), 'Any where absent.'),
  paths: list(text('path-pattern', 'A path, or a prefix that ends in "*".'), 'Any where absent.'),
})

const kafka = map(
  {
    operations: list(oneOf(KAFKA_OPERATIONS, 'An operation.'), 'What is done.'),
    groups: list(text('group-pattern', 'A consumer group.'), 'The consumer groups that go with a consume.'),
  },
  ['operations'],
)

const tcp = map({ ports: list(port('A port of the service.'), 'Any where absent.', 64) })

const spec = map(
  {
    target,
    action: { ...oneOf(['allow', 'deny'], 'Deny wins over allow.'), default: DEFAULT_POLICY_ACTION },
    mode: {
      ...oneOf(['enforce', 'audit'], 'audit: count and log what would have been refused.'),
      default: DEFAULT_POLICY_MODE,
    },
    rules: list(
      map({
        from: list(source, 'Who; any caller with an identity where absent.'),
        to: list(exactlyOne({ http, kafka, tcp }), 'What; everything where absent.'),
      }),
      'One that matches is enough.',
    ),
  },
  ['target', 'rules'],
)

export const accessPolicy: KindDefinition<'AccessPolicy'> = {
  kind: 'AccessPolicy',
  plural: 'accesspolicies',
  schema: resource({ kind: 'AccessPolicy', spec }),
  check: ruleFaults,
  complete: ({ spec: given }) => ({
    target: given.target,
    action: given.action ?? DEFAULT_POLICY_ACTION,
    mode: given.mode ?? DEFAULT_POLICY_MODE,
    rules: given.rules,
  }),
}

function ruleFaults(input: unknown): readonly LocatedFault[] {
  const spec = member(input, 'spec')
  const targets = new Set(isMap(member(spec, 'target')) ? Object.keys(member(spec, 'target') as object) : [])
  const faults: LocatedFault[] = []
  for (const [index, rule] of entries(member(spec, 'rules'))) {
    const at = ['spec', 'rules', index]
    for (const [place, entry] of entries(member(rule, 'from')))
      faults.push(...sourceFaults(entry, [...at, 'from', place]))
    for (const [place, entry] of entries(member(rule, 'to')))
      faults.push(...matcherFaults(entry, targets, [...at, 'to', place]))
  }
  return faults
}

/** What a caller without an identity of the mesh can be asked for, and what goes with it. */
const ALONE: Readonly<Record<string, readonly string[]>> = { anonymous: [], clientCertificate: ['jwt'] }

/** Nobody is anonymous, or a stranger, and somebody of the mesh: the entry would match no caller, which is never what was meant. */
function sourceFaults(source: unknown, at: FaultPath): readonly LocatedFault[] {
  if (!isMap(source)) return []
  return Object.entries(ALONE).flatMap(([name, allowed]) => {
    const others = Object.keys(source).filter((key) => key !== name && !allowed.includes(key))
    if (source[name] === undefined || others.length === 0) return []
    return [
      locatedFault({
        at: [...at, name],
        expected: `${name} alone`,
        came: `it beside ${others.join(', ')}`,
        onKey: true,
      }),
    ]
  })
}

const TCP_TARGETS: ReadonlySet<string> = new Set(['service', 'externalService', 'mesh'])
const HTTP_TARGETS: ReadonlySet<string> = new Set(['service', 'externalService', 'gateway', 'mesh'])
const KAFKA_TARGETS: ReadonlySet<string> = new Set(['topic', 'group', 'transactionalId', 'cluster', 'mesh'])

/** A matcher of another protocol would be silently dead: a policy that looks as if it protected something. */
function matcherFaults(
  matcher: unknown,
  targets: ReadonlySet<string>,
  at: FaultPath,
): readonly LocatedFault[] {
  const [target, ...more] = targets
  const faults: LocatedFault[] = []
  if (target !== undefined && more.length === 0) {
    for (const [protocol, fitting] of [
      ['http', HTTP_TARGETS],
      ['kafka', KAFKA_TARGETS],
      ['tcp', TCP_TARGETS],
    ] as const) {
      const isKnown = HTTP_TARGETS.has(target) || KAFKA_TARGETS.has(target)
      if (member(matcher, protocol) === undefined || fitting.has(target) || !isKnown) continue
      faults.push(
        locatedFault({
          at: [...at, protocol],
          expected: `${protocol === 'kafka' ? 'http or tcp' : 'kafka'}, because the target is a ${target}`,
          came: protocol,
          hint: `${protocol} goes with the targets ${[...fitting].join(', ')}`,
          onKey: true,
        }),
      )
    }
  }
  return [...faults, ...groupFaults(member(matcher, 'kafka'), target, [...at, 'kafka'])]
}

/** `groups` narrows a consume of a topic and nothing else. */
function groupFaults(kafka: unknown, target: string | undefined, at: FaultPath): readonly LocatedFault[] {
  const groups = member(kafka, 'groups')
  if (groups === undefined) return []
  const operations = member(kafka, 'operations')
  const faults: LocatedFault[] = []
  if (Array.isArray(operations) && !operations.includes('consume'))
    faults.push(
      locatedFault({
        at: [...at, 'groups'],
        expected: 'groups only beside the operation consume',
        came: operations.map(showValue).slice(0, 8).join(', '),
        onKey: true,
      }),
    )
  if (target !== undefined && target !== 'topic' && target !== 'mesh' && KAFKA_TARGETS.has(target))
    faults.push(
      locatedFault({
        at: [...at, 'groups'],
        expected: 'groups only with a topic as target',
        came: `the target ${target}`,
        onKey: true,
      }),
    )
  return faults
}
