import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_PRODUCER, DEFAULT_TRAFFIC, type Snapshot, validateSnapshot } from './snapshot.ts'

const IDENTITY = 'spiffe://weft.local/ns/default/sa/order-service'

const SNAPSHOT: Snapshot = {
  version: 7,
  trustDomain: 'weft.local',
  workload: { identity: IDENTITY, namespace: 'default', service: 'order-service' },
  defaultAction: 'deny',
  samplingRatio: 0.01,
  kafka: { bootstrapServers: ['127.0.0.1:9092', '[::1]:9092'], security: 'mtls' },
  services: [
    {
      name: 'order-service',
      namespace: 'default',
      hosts: ['order-service', 'order-service:80'],
      endpoints: [{ address: '127.0.0.1', port: 15_006, identity: IDENTITY, labels: { version: '' } }],
      traffic: DEFAULT_TRAFFIC,
      tcpPorts: [5432],
    },
  ],
  policies: [
    {
      name: 'orders',
      namespace: 'default',
      target: { topic: 'orders' },
      action: 'allow',
      mode: 'enforce',
      rules: [
        {},
        {
          from: [
            { serviceAccount: 'order-service' },
            { jwt: { provider: 'accounts', claims: { role: ['admin'] } } },
          ],
          to: [
            { http: {} },
            { kafka: { operations: ['consume'], groups: ['${serviceAccount}*'] } },
            { tcp: { ports: [5432] } },
          ],
        },
      ],
    },
  ],
  topics: [{ name: 'orders', partitions: 6, maxMessageBytes: 1_048_576, producer: DEFAULT_PRODUCER }],
  jwtProviders: [
    {
      name: 'accounts',
      namespace: 'default',
      issuer: 'https://accounts.example',
      audiences: ['shop'],
      jwks: { uri: 'https://accounts.example/keys' },
      algorithms: ['ES256'],
      clockSkewMs: 30_000,
      maxTokenBytes: 8192,
      refreshMs: 600_000,
      maxStaleMs: 86_400_000,
    },
  ],
  subscriptions: [
    {
      name: 'orders',
      topic: 'orders',
      group: 'order-service',
      path: '/events',
      startAt: 'earliest',
      maxInFlight: 16,
      timeoutMs: 10_000,
      retry: { attempts: 5, backoffBaseMs: 100, backoffMaxMs: 10_000 },
      deadLetterTopic: 'orders.order-service.dlt',
    },
  ],
}

/** A copy of the snapshot with the value at each dotted path replaced; undefined takes it away. */
function edited(changes: Readonly<Record<string, unknown>>): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(SNAPSHOT))
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split('.')
    const last = names.pop() ?? ''
    const parent = names.reduce<unknown>((at, name) => Reflect.get(at as object, name), copy)
    Reflect.set(parent as object, last, value)
  }
  return copy
}

function faultsOf(value: unknown): readonly string[] {
  const result = validateSnapshot(value)
  return 'faults' in result ? result.faults : []
}

test('a whole snapshot passes and is given back as it came', () => {
  assert.deepEqual(validateSnapshot(edited({})), { snapshot: SNAPSHOT })
})

test('every fault is named at once with its path, what was expected and what came', () => {
  const value = edited({
    samplingRatio: 2,
    'services.0.endpoints.0.port': '80',
    'services.0.traffic.retry.attempts': undefined,
    'topics.0.producer.compression': 'brotli',
    'subscriptions.0.startAt': 'now',
  })
  assert.deepEqual(faultsOf(value), [
    'samplingRatio: expected a number from 0 to 1, came 2',
    'services[0].endpoints[0].port: expected a whole number from 1 to 65535, came "80"',
    'services[0].traffic.retry.attempts: expected a whole number from 0 to 9007199254740991, came nothing',
    'topics[0].producer.compression: expected "none" or "gzip" or "snappy" or "lz4" or "zstd", came "brotli"',
    'subscriptions[0].startAt: expected earliest, latest, or an RFC 3339 timestamp, came "now"',
  ])
})

test('a member that is not known is ignored outside policies, and a fault inside them', () => {
  assert.deepEqual(faultsOf(edited({ future: 1, 'services.0.future': 1 })), [])
  for (const path of [
    'policies.0.jwt',
    'policies.0.target.partition',
    'policies.0.rules.0.when',
    'policies.0.rules.1.from.0.group',
    'policies.0.rules.1.from.1.jwt.issuer',
    'policies.0.rules.1.to.0.http.headers',
    'policies.0.rules.1.to.1.kafka.keys',
  ])
    assert.match(faultsOf(edited({ [path]: 'x' })).join(), /a member that this version knows/)
})

test('an entry of `to` has one member, a target too, an entry of `from` at least one', () => {
  const value = edited({
    'policies.0.target': { topic: 'a', service: 'b' },
    'policies.0.rules.1.from': [{}],
    'policies.0.rules.1.to': [{}],
  })
  assert.deepEqual(faultsOf(value), [
    'policies[0].target: expected exactly one member, came "topic, service"',
    'policies[0].rules[1].from[0]: expected at least one member, came ""',
    'policies[0].rules[1].to[0]: expected exactly one member, came ""',
  ])
})

test('a host that means two services, a name that stands twice and a foreign workload are refused', () => {
  const { services, topics, policies, subscriptions } = SNAPSHOT
  const value = edited({
    'workload.identity': 'spiffe://elsewhere/ns/default/sa/order-service',
    services: [...services, ...services],
    policies: [...policies, ...policies],
    topics: [...topics, ...topics],
    subscriptions: [...subscriptions, ...subscriptions],
  })
  assert.deepEqual(faultsOf(value), [
    'workload.identity: expected an id of trust domain weft.local, came "spiffe://elsewhere/ns/default/sa/order-service"',
    'services[].hosts: expected each name once, came "order-service"',
    'services[].hosts: expected each name once, came "order-service:80"',
    'policies: expected each name once, came "default/orders"',
    'topics: expected each name once, came "orders"',
    'subscriptions: expected each name once, came "orders"',
  ])
})

test('values of any other kind are refused without an exception', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)
  for (const value of [undefined, null, 1, 1n, 'x', [], {}, Symbol('x'), () => 1, Number.NaN, deep])
    assert.ok(faultsOf(value).length > 0)
  for (const member of Object.keys(SNAPSHOT))
    for (const value of [null, 1n, 'x', -1, [null], [[]], [1], { a: 1 }, deep])
      assert.equal(typeof faultsOf({ ...SNAPSHOT, [member]: value }).length, 'number')
})

test('the number of faults is bounded', () => {
  const faults = faultsOf(edited({ topics: Array.from({ length: 100_000 }, () => 'x'.repeat(1000)) }))
  assert.equal(faults.length, 50)
  assert.ok(faults.join('').length < 20_000)
})
