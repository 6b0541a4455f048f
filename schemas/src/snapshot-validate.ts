/**
 * A snapshot as it came over the wire → a Snapshot, or every fault that it has. Unknown members are ignored,
 * so that a newer control plane can say more, except in policies: there a member that is not understood may be the
 * one that narrows an allow, and ignoring it would open what somebody closed.
 */
import { KAFKA_OPERATIONS } from './policy/types.ts'
import type { Snapshot } from './snapshot.ts'
import {
  AT_LEAST_ONE,
  anyText,
  type Check,
  closed,
  EXACTLY_ONE,
  identity,
  listOf,
  type Members,
  mapOf,
  matching,
  object,
  oneOf,
  type Report,
  share,
  show,
  text,
  when,
  whole,
} from './snapshot-checks.ts'
import { VALUE_FORMATS } from './snapshot-topics.ts'
import { EXTERNAL } from './snapshot-validate-external.ts'
import { GATEWAY } from './snapshot-validate-gateway.ts'
import { JWT_PROVIDER } from './snapshot-validate-jwt.ts'
import { checkRouteReferences, ROUTE_TABLE } from './snapshot-validate-routes.ts'
import { TOPIC } from './snapshot-validate-topics.ts'
import { INBOUND_TRAFFIC, TRAFFIC } from './snapshot-validate-traffic.ts'
import { parseSpiffeId } from './spiffe.ts'
import { isStartAt } from './timestamp.ts'

export type SnapshotValidation = { readonly snapshot: Snapshot } | { readonly faults: readonly string[] }

/** Enough to see what is wrong; a NACK stays a message for a person. */
const MAX_FAULTS = 50

/** Pure; never throws, whatever comes. */
export function validateSnapshot(value: unknown): SnapshotValidation {
  const faults: string[] = []
  const report: Report = (path, expected, came) => {
    if (faults.length < MAX_FAULTS) faults.push(`${path}: expected ${expected}, came ${show(came)}`)
  }
  SNAPSHOT(value, '', report)
  if (faults.length > 0) return { faults }
  const snapshot = value as Snapshot
  checkNames(snapshot, report)
  return faults.length > 0 ? { faults } : { snapshot }
}

/** What no single member shows: names that mean one thing must mean only one thing. */
function checkNames(snapshot: Snapshot, report: Report): void {
  const own = parseSpiffeId(snapshot.workload.identity)
  if (own?.trustDomain !== snapshot.trustDomain)
    report('workload.identity', `an id of trust domain ${snapshot.trustDomain}`, snapshot.workload.identity)
  const unique = (path: string, names: readonly string[]): void => {
    const seen = new Set<string>()
    for (const name of names) {
      if (seen.has(name)) report(path, 'each name once', name)
      seen.add(name)
    }
  }
  unique(
    'services[].hosts',
    snapshot.services.flatMap((service) => [...new Set(service.hosts)]),
  )
  checkRouteReferences(snapshot, report)
  unique(
    'policies',
    snapshot.policies.map((policy) => `${policy.namespace}/${policy.name}`),
  )
  unique(
    'jwtProviders',
    snapshot.jwtProviders.map((provider) => `${provider.namespace}/${provider.name}`),
  )
  unique(
    'topics',
    snapshot.topics.map((topic) => topic.name),
  )
  unique(
    'subscriptions',
    snapshot.subscriptions.map((subscription) => subscription.name),
  )
}

const port = whole(1, 65_535)

const serviceWith = (endpointIdentity: Check, optional: Members): Check =>
  object(
    {
      name: text,
      namespace: text,
      hosts: listOf(matching('a host in lower case', /^[^A-Z\s]+$/)),
      endpoints: listOf(
        object(
          { address: text, port, identity: endpointIdentity, labels: mapOf(anyText) },
          { weight: whole(1) },
        ),
      ),
      traffic: TRAFFIC,
    },
    optional,
  )
const MESH_SERVICE = serviceWith(identity, { routes: ROUTE_TABLE, tcpPorts: listOf(port) })
const EXTERNAL_SERVICE = serviceWith(oneOf(''), { external: EXTERNAL, tcpPorts: listOf(port) })
/** Only what says that it is outside of the mesh may do without identities. */
const SERVICE: Check = (value, path, report) => {
  const isExternal = typeof value === 'object' && value !== null && 'external' in value
  return (isExternal ? EXTERNAL_SERVICE : MESH_SERVICE)(value, path, report)
}

const POLICY_TARGET = closed(
  {},
  {
    service: text,
    externalService: text,
    gateway: text,
    topic: text,
    group: text,
    transactionalId: text,
    cluster: oneOf(true),
    mesh: oneOf(true),
  },
  EXACTLY_ONE,
)
const FROM = closed(
  {},
  {
    serviceAccount: text,
    namespace: text,
    identity: text,
    anonymous: oneOf(true),
    clientCertificate: text,
    jwt: closed({ provider: text }, { claims: mapOf(listOf(anyText, 1)) }),
  },
  AT_LEAST_ONE,
)
const TO = closed(
  {},
  {
    // `{}` is every request; a `paths: []` matches none.
    http: closed({}, { methods: listOf(text), paths: listOf(text) }),
    kafka: closed({ operations: listOf(oneOf(...KAFKA_OPERATIONS), 1) }, { groups: listOf(anyText) }),
    tcp: closed({}, { ports: listOf(port) }),
  },
  EXACTLY_ONE,
)
const POLICY = closed(
  {
    name: text,
    namespace: text,
    target: POLICY_TARGET,
    action: oneOf('allow', 'deny'),
    mode: oneOf('enforce', 'audit'),
    // The rule `{}` is one: every caller with an identity may do everything.
    rules: listOf(closed({}, { from: listOf(FROM), to: listOf(TO) })),
  },
  {},
)

const SNAPSHOT = object(
  {
    version: whole(1),
    trustDomain: text,
    workload: object(
      { identity, namespace: text },
      {
        service: text,
        zone: text,
        appProtocol: oneOf('http1', 'http2'),
        tcpPorts: listOf(object({ port, appPort: port })),
      },
    ),
    defaultAction: oneOf('allow', 'deny'),
    samplingRatio: share,
    services: listOf(SERVICE),
    policies: listOf(POLICY),
    topics: listOf(TOPIC),
    jwtProviders: listOf(JWT_PROVIDER),
    subscriptions: listOf(
      object(
        {
          name: text,
          topic: text,
          group: text,
          startAt: when(
            'earliest, latest, or an RFC 3339 timestamp',
            (value) => typeof value === 'string' && isStartAt(value),
          ),
          maxInFlight: whole(1),
          timeoutMs: whole(1),
          retry: object({ attempts: whole(0), backoffBaseMs: whole(0), backoffMaxMs: whole(0) }),
          deadLetterTopic: text,
        },
        {
          path: matching('a path that starts with /', /^\//),
          format: oneOf(...VALUE_FORMATS),
          filter: text,
          redriveTopic: text,
          retryTopics: listOf(object({ topic: text, delayMs: whole(1) }), 1),
        },
      ),
    ),
  },
  {
    inbound: INBOUND_TRAFFIC,
    mtls: oneOf('strict', 'permissive'),
    egress: oneOf('allowAll'),
    gateway: GATEWAY,
    kafka: object({
      bootstrapServers: listOf(matching('host:port', /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/), 1),
      security: oneOf('mtls', 'tls', 'plaintext'),
    }),
  },
)
