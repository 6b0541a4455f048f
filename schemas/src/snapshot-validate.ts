/**
 * A snapshot as it came over the wire → a Snapshot, or every fault that it has. Unknown members are ignored,
 * so that a newer control plane can say more, except in policies: there a member that is not understood may be the
 * one that narrows an allow, and ignoring it would open what somebody closed.
 */
import { KAFKA_OPERATIONS } from './policy/types.ts'
import type { Snapshot } from './snapshot.ts'
import { parseSpiffeId } from './spiffe.ts'

export type SnapshotValidation = { readonly snapshot: Snapshot } | { readonly faults: readonly string[] }

type Report = (path: string, expected: string, came: unknown) => void
type Check = (value: unknown, path: string, report: Report) => void
type Members = Readonly<Record<string, Check>>

/** Enough to see what is wrong; a NACK stays a message for a person. */
const MAX_FAULTS = 50
const MAX_CAME_LENGTH = 60

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
  unique(
    'policies',
    snapshot.policies.map((policy) => `${policy.namespace}/${policy.name}`),
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

const when =
  (expected: string, holds: (value: unknown) => boolean): Check =>
  (value, path, report) => {
    if (!holds(value)) report(path, expected, value)
  }

const text = when('a text that is not empty', (value) => typeof value === 'string' && value !== '')
const anyText = when('a text', (value) => typeof value === 'string')
const matching = (expected: string, form: RegExp): Check =>
  when(expected, (value) => typeof value === 'string' && form.test(value))
const oneOf = (...values: readonly unknown[]): Check =>
  when(values.map((value) => JSON.stringify(value)).join(' or '), (value) => values.includes(value))
const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  when(
    `a whole number from ${least} to ${most}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
  )
const share = when(
  'a number from 0 to 1',
  (value) => typeof value === 'number' && value >= 0 && value <= 1, // NaN is neither
)
const identity = when(
  'spiffe://<trust domain>/ns/<namespace>/sa/<service account>',
  (value) => typeof value === 'string' && parseSpiffeId(value) !== undefined,
)

const listOf =
  (check: Check, least = 0): Check =>
  (value, path, report) => {
    if (!Array.isArray(value) || value.length < least) {
      report(path, least > 0 ? `a list of at least ${least}` : 'a list', value)
      return
    }
    value.forEach((entry: unknown, at) => {
      check(entry, `${path}[${at}]`, report)
    })
  }

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const mapOf =
  (check: Check): Check =>
  (value, path, report) => {
    if (!isRecord(value)) report(path, 'an object', value)
    else for (const [key, entry] of Object.entries(value)) check(entry, `${path}.${key}`, report)
  }

/** An object; members of `optional` may be absent, those of `required` may not. */
const object =
  (required: Members, optional: Members = {}): Check =>
  (value, path, report) => {
    if (!isRecord(value)) {
      report(path === '' ? 'snapshot' : path, 'an object', value)
      return
    }
    const at = (name: string) => (path === '' ? name : `${path}.${name}`)
    for (const [name, check] of Object.entries(required)) check(value[name], at(name), report)
    for (const [name, check] of Object.entries(optional))
      if (value[name] !== undefined) check(value[name], at(name), report)
  }

interface MemberCount {
  readonly least: number
  readonly most: number
}
const EXACTLY_ONE: MemberCount = { least: 1, most: 1 }
const AT_LEAST_ONE: MemberCount = { least: 1, most: Number.POSITIVE_INFINITY }
const ANY_NUMBER: MemberCount = { least: 0, most: Number.POSITIVE_INFINITY }

/** An object of policies: a member that is not known is a fault. `count` is that of all members together. */
const closed =
  (required: Members, optional: Members, count = ANY_NUMBER): Check =>
  (value, path, report) => {
    object(required, optional)(value, path, report)
    if (!isRecord(value)) return
    const names = Object.keys(value)
    for (const name of names)
      if (!Object.hasOwn(required, name) && !Object.hasOwn(optional, name))
        report(`${path}.${name}`, 'a member that this version knows', value[name])
    if (names.length < count.least || names.length > count.most)
      report(path, count === EXACTLY_ONE ? 'exactly one member' : 'at least one member', names.join(', '))
  }

const RETRY = object({
  attempts: whole(0),
  backoffBaseMs: whole(0),
  backoffMaxMs: whole(0),
  budgetRatio: share,
  budgetMinConcurrent: whole(0),
})

const SERVICE = object({
  name: text,
  namespace: text,
  hosts: listOf(matching('a host in lower case', /^[^A-Z\s]+$/)),
  endpoints: listOf(object({ address: text, port: whole(1, 65_535), identity, labels: mapOf(anyText) })),
  traffic: object({
    connectTimeoutMs: whole(1),
    requestTimeoutMs: whole(1),
    maxConnections: whole(1),
    maxPendingRequests: whole(1),
    retry: RETRY,
  }),
})

const POLICY_TARGET = closed(
  {},
  {
    service: text,
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
  { serviceAccount: text, namespace: text, identity: text, anonymous: oneOf(true) },
  AT_LEAST_ONE,
)
const TO = closed(
  {},
  {
    // `{}` is every request; a `paths: []` matches none.
    http: closed({}, { methods: listOf(text), paths: listOf(text) }),
    kafka: closed({ operations: listOf(oneOf(...KAFKA_OPERATIONS), 1) }, { groups: listOf(anyText) }),
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
    workload: object({ identity, namespace: text }, { service: text }),
    defaultAction: oneOf('allow', 'deny'),
    samplingRatio: share,
    services: listOf(SERVICE),
    policies: listOf(POLICY),
    topics: listOf(object({ name: text, partitions: whole(1), maxMessageBytes: whole(1) })),
    subscriptions: listOf(
      object({
        name: text,
        topic: text,
        group: text,
        path: matching('a path that starts with /', /^\//),
        startAt: oneOf('earliest', 'latest'),
        maxInFlight: whole(1),
        timeoutMs: whole(1),
        retry: object({ attempts: whole(0), backoffBaseMs: whole(0), backoffMaxMs: whole(0) }),
        deadLetterTopic: text,
      }),
    ),
  },
  {
    kafka: object({
      bootstrapServers: listOf(matching('host:port', /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/), 1),
      security: oneOf('mtls', 'tls', 'plaintext'),
    }),
  },
)

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    return value === null ? 'null' : `a ${typeof value}`
  const written = JSON.stringify(value)
  return written.length > MAX_CAME_LENGTH ? `${written.slice(0, MAX_CAME_LENGTH)}…` : written
}
