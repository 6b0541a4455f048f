import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KINDS, RESOURCE_SCHEMAS, type Resource, validateResource } from './index.ts'

const head = (kind: string, name = 'x') => ({ apiVersion: 'mesh.weft.dev/v1', kind, metadata: { name } })

function completed(value: unknown): Resource {
  const result = validateResource(value)
  assert.ok('resource' in result, JSON.stringify(result))
  return result.resource
}

function messages(value: unknown): readonly string[] {
  const result = validateResource(value)
  assert.ok('faults' in result, 'expected faults')
  return result.faults.map(({ message }) => message)
}

const policy = (spec: object) => ({ ...head('AccessPolicy'), spec })
const httpRule = (http: object) => policy({ target: { service: 'a' }, rules: [{ to: [{ http }] }] })
const kafkaRule = (kafka: object, target: object = { topic: 'a' }) =>
  policy({ target, rules: [{ to: [{ kafka }] }] })
const fromRule = (source: object) => policy({ target: { service: 'a' }, rules: [{ from: [source] }] })

test('a tcp port of a service says where the app listens; an http port does not', () => {
  const service = (port: object, more: object = {}) => ({
    ...head('Service'),
    spec: { selector: { app: 'a' }, ports: [port], ...more },
  })
  assert.deepEqual(completed(service({ port: 5432, protocol: 'tcp' })).spec, {
    selector: { app: 'a' },
    ports: [{ port: 5432, protocol: 'tcp', targetPort: 5432 }],
  })
  assert.match(
    messages(service({ targetPort: 8080 })).join(),
    /ports\[0\]\.targetPort: expected targetPort only beside protocol tcp, came "http"/,
  )
  assert.match(
    messages(service({}, { addresses: ['1.2.3.999', 'host', '::1'] })).join('\n'),
    /addresses\[0\]: expected an IP address.*\n.*addresses\[1\]/,
  )
})

test('a tcp matcher goes with a service or the whole mesh', () => {
  const rule = (tcp: object, target: object) => policy({ target, rules: [{ to: [{ tcp }] }] })
  completed(rule({ ports: [5432] }, { service: 'a' }))
  completed(rule({}, { mesh: true }))
  assert.match(
    messages(rule({}, { topic: 'a' })).join(),
    /expected kafka, because the target is a topic, came tcp/,
  )
  assert.match(messages(rule({ ports: [0] }, { service: 'a' })).join(), /ports\[0\]/)
})

test('each kind is completed with its defaults', () => {
  const spec = (value: unknown) => completed(value).spec
  assert.deepEqual(spec({ ...head('Service'), spec: { selector: { app: 'a' } } }), {
    selector: { app: 'a' },
    ports: [{ port: 80, protocol: 'http' }],
  })
  assert.deepEqual(spec({ ...head('Workload'), spec: { serviceAccount: 'a', inboundPort: 1 } }), {
    serviceAccount: 'a',
    address: '127.0.0.1',
    inboundPort: 1,
  })
  assert.deepEqual(spec(policy({ target: { mesh: true }, rules: [{}] })), {
    target: { mesh: true },
    action: 'allow',
    mode: 'enforce',
    rules: [{}],
  })
  assert.deepEqual(spec({ ...head('Topic', 'orders'), spec: { config: { 'retention.ms': 5 } } }), {
    name: 'orders',
    partitions: 3,
    replicationFactor: 1,
    config: { 'retention.ms': '5' },
    maxMessageBytes: 1_048_576,
    producer: { lingerMs: 0, batchBytes: 1_048_576, compression: 'none' },
    durability: 'broker',
    trace: 'uncompressed',
  })
  assert.deepEqual(spec({ ...head('Subscription'), spec: { topic: 't', service: 's', path: '/e' } }), {
    topic: 't',
    service: 's',
    path: '/e',
    group: 's',
    startAt: 'earliest',
    maxInFlight: 16,
    timeoutMs: 10_000,
    retry: { attempts: 5, backoffBaseMs: 100, backoffMaxMs: 10_000 },
    deadLetterTopic: 't.s.dlt',
  })
  assert.deepEqual(spec({ ...head('Mesh', 'mesh'), spec: { kafka: { bootstrapServers: ['h:1'] } } }), {
    defaultAction: 'deny',
    mtls: 'strict',
    egress: 'registryOnly',
    tracing: { samplingRatio: 0.01 },
    kafka: { bootstrapServers: ['h:1'], security: 'mtls', acls: 'unmanaged' },
  })
})

test('metadata is completed with namespace and labels', () => {
  assert.deepEqual(completed({ ...head('Topic'), spec: {} }).metadata, {
    name: 'x',
    namespace: 'default',
    labels: {},
  })
})

test('a completed resource is valid and completes to itself', () => {
  const once = completed({ ...head('Subscription'), spec: { topic: 't', service: 's', path: '/e' } })
  assert.deepEqual(completed(once), once)
})

test('what the API adds as status is ignored when it comes back', () => {
  assert.ok(!('status' in completed({ ...head('Topic'), spec: {}, status: { source: 'api' } })))
})

test('every fault comes at once, schema and cross-field faults together', () => {
  assert.deepEqual(
    messages({
      ...head('AccessPolicy', 'Bad_Name'),
      spec: {
        target: { topic: 'orders', service: 'a' },
        acton: 'deny',
        mode: 'audited',
        rules: [
          {
            from: [{ anonymous: true, namespace: 'x' }],
            to: [{ kafka: { operations: ['produce'], groups: ['a'] } }],
          },
        ],
      },
    }).map((message) => message.split(':')[0]),
    [
      'metadata.name',
      'spec.acton',
      'spec.target',
      'spec.mode',
      'spec.rules[0].from[0].anonymous',
      'spec.rules[0].to[0].kafka.groups',
    ],
  )
})

test('a fault says path, what was expected and what came', () => {
  assert.deepEqual(validateResource({ ...head('Topic'), spec: { partitions: 'three' } }), {
    faults: [
      {
        path: 'spec.partitions',
        expected: 'a whole number',
        came: '"three"',
        message: 'spec.partitions: expected a whole number, came "three"',
      },
    ],
  })
})

test('an unknown key names the nearest known one', () => {
  assert.deepEqual(messages({ ...head('Topic'), spec: { partitons: 3 } }), [
    'spec.partitons: expected one of name, partitions, replicationFactor, config, maxMessageBytes, producer, durability, trace, quota, faults, schema, came the unknown key "partitons" (did you mean partitions?)',
  ])
})

test('an unknown kind lists the known ones, an unknown apiVersion is named beside it', () => {
  assert.deepEqual(messages({ apiVersion: 'v1', kind: 'Servise' }), [
    'apiVersion: expected "mesh.weft.dev/v1" or "gateway.networking.k8s.io/v1", came "v1"',
    `kind: expected one of ${KINDS.join(', ')}, came "Servise" (did you mean Service?)`,
  ])
})

test('a kind that is a name of Object is unknown, not a crash', () => {
  for (const kind of ['constructor', '__proto__', 'toString', 1, null, ['Topic']])
    assert.match(messages({ ...head('x'), kind }).join(), /kind: expected one of/)
})

test('a text that is written as a number or boolean is told about quotes', () => {
  assert.match(
    messages({ ...head('Topic'), metadata: { name: 'x', labels: { version: 1 } }, spec: {} }).join(),
    /metadata\.labels\.version: expected a text, came 1 \(put it in quotes\)/,
  )
})

test('what is no map is refused', () => {
  for (const value of [undefined, null, 1, 'text', true, [], [1]])
    assert.match(messages(value).join(), /expected a map/)
})

test('exactly one member names the target of a policy', () => {
  assert.match(
    messages(policy({ target: {}, rules: [{}] })).join(),
    /spec\.target: expected exactly one of service/,
  )
  assert.match(
    messages(policy({ target: { service: 'a', mesh: true }, rules: [{}] })).join(),
    /spec\.target: expected exactly one of .*, came service, mesh/,
  )
})

test('policy paths are refused unless in normal form with a star only at the end', () => {
  for (const path of [
    'orders',
    '',
    '*',
    '/a//b',
    '/a/./b',
    '/a/../b',
    '/a/..',
    '/%41',
    '/a%2fb',
    '/a*b',
    '/**',
    '/a?b',
    '/a b',
    '/ä\n',
  ])
    assert.match(
      messages(httpRule({ paths: [path] })).join(),
      /paths\[0\]: expected a path in normal form/,
      path,
    )
  for (const path of ['/', '/*', '/orders', '/orders/', '/orders*', '/orders/*', '/a%20b'])
    completed(httpRule({ paths: [path] }))
})

test('methods are upper case', () => {
  for (const method of ['get', 'Get', '', 'GET POST', '*'])
    assert.match(messages(httpRule({ methods: [method] })).join(), /an HTTP method in upper case/, method)
})

test('matchers of the other protocol are refused', () => {
  for (const target of [{ topic: 'a' }, { group: 'a' }, { transactionalId: 'a' }, { cluster: true }])
    assert.match(
      messages(policy({ target, rules: [{ to: [{ http: {} }] }] })).join(),
      /to\[0\]\.http: expected kafka, because the target is a/,
    )
  assert.match(
    messages(kafkaRule({ operations: ['produce'] }, { service: 'a' })).join(),
    /to\[0\]\.kafka: expected http or tcp, because the target is a service/,
  )
  completed(
    policy({
      target: { mesh: true },
      rules: [{ to: [{ http: {} }, { kafka: { operations: ['consume'] } }] }],
    }),
  )
})

test('a matcher has one protocol', () => {
  assert.match(
    messages(
      policy({ target: { mesh: true }, rules: [{ to: [{ http: {}, kafka: { operations: ['produce'] } }] }] }),
    ).join(),
    /to\[0\]: expected exactly one of http, kafka, tcp, came http, kafka/,
  )
})

test('groups go with a consume of a topic, and know two placeholders', () => {
  completed(kafkaRule({ operations: ['consume'], groups: ['${serviceAccount}*', '${namespace}.x', '*'] }))
  assert.match(
    messages(kafkaRule({ operations: ['consume'], groups: ['${user}'] })).join(),
    /groups\[0\]: expected a group name/,
  )
  assert.match(messages(kafkaRule({ operations: ['consume'], groups: [''] })).join(), /groups\[0\]/)
  assert.match(
    messages(kafkaRule({ operations: ['produce'], groups: ['a'] })).join(),
    /only beside the operation consume/,
  )
  assert.match(
    messages(kafkaRule({ operations: ['consume'], groups: ['a'] }, { group: 'g' })).join(),
    /only with a topic as target/,
  )
})

test('names of topics in a policy end in a star or have none', () => {
  for (const topic of ['orders', 'orders*', '*', 'orders.${serviceAccount}.*'])
    completed(kafkaRule({ operations: ['produce'] }, { topic }))
  for (const topic of ['', 'a*b', 'a b', '..', '${x}', 'a'.repeat(250)])
    assert.match(
      messages(kafkaRule({ operations: ['produce'] }, { topic })).join(),
      /spec\.target\.topic/,
      topic,
    )
})

test('an identity is a SPIFFE id whose trust domain is written out', () => {
  for (const identity of ['spiffe://td/ns/a/sa/b', 'spiffe://td/ns/a/sa/*', 'spiffe://td/*'])
    completed(fromRule({ identity }))
  for (const identity of [
    '*',
    'spiffe://*',
    'spiffe://td*/ns/a/sa/b',
    'spiffe://td/web',
    'spiffe://TD/ns/a/sa/b',
    'http://td/*',
    '',
  ])
    assert.match(messages(fromRule({ identity })).join(), /identity: expected a SPIFFE id/, identity)
})

test('an entry of from names somebody, and nobody is anonymous and somebody', () => {
  assert.match(messages(fromRule({})).join(), /from\[0\]: expected at least one of/)
  assert.match(
    messages(fromRule({ anonymous: true, serviceAccount: 'a' })).join(),
    /expected anonymous alone/,
  )
  assert.match(messages(fromRule({ anonymous: false })).join(), /anonymous: expected true, came false/)
})

test('an empty list is refused where it would silently match nothing', () => {
  for (const spec of [
    { target: { mesh: true }, rules: [] },
    { target: { mesh: true }, rules: [{ from: [] }] },
    { target: { mesh: true }, rules: [{ to: [] }] },
    { target: { mesh: true }, rules: [{ to: [{ http: { methods: [] } }] }] },
    { target: { mesh: true }, rules: [{ to: [{ kafka: { operations: [] } }] }] },
  ])
    assert.match(messages(policy(spec)).join(), /expected at least one entry, came an empty list/)
})

test('a service has its ports once and names a host label', () => {
  const service = (name: string, spec: object) => ({ ...head('Service', name), spec })
  assert.match(messages(service('a.b', { selector: { a: 'b' } })).join(), /metadata\.name/)
  assert.match(
    messages(service('a', { selector: {} })).join(),
    /spec\.selector: expected at least one member/,
  )
  assert.match(
    messages(service('a', { selector: { a: 'b' }, ports: [{}, { port: 80 }] })).join(),
    /ports\[1\]\.port: expected each port once/,
  )
  assert.match(
    messages(service('a', { selector: { a: 'b' }, ports: [{ port: 0 }, { port: 65536 }] })).join(),
    /ports\[0\].*ports\[1\]/s,
  )
})

test('a topic says its size limit once, and has a Kafka name', () => {
  assert.match(
    messages({ ...head('Topic'), spec: { config: { 'max.message.bytes': '5' } } }).join(),
    /spec\.config\["max\.message\.bytes"\]: expected the limit in spec\.maxMessageBytes/,
  )
  for (const name of ['.', '..', 'a/b', 'a'.repeat(250), ''])
    assert.match(messages({ ...head('Topic'), spec: { name } }).join(), /spec\.name: expected a Kafka name/)
})

test('a dead letter can leave its topic', () => {
  const subscription = (spec: object) => ({
    ...head('Subscription'),
    spec: { topic: 't', service: 's', path: '/', ...spec },
  })
  assert.match(
    messages(subscription({ deadLetterTopic: 't' })).join(),
    /expected another topic than the one that is consumed/,
  )
  // Also where the dead letters have a topic of another name: what is sent back goes through one of topic and group.
  for (const deadLetterTopic of [undefined, 'dead'])
    assert.match(
      messages(
        subscription({ topic: 't'.repeat(240), ...(deadLetterTopic !== undefined && { deadLetterTopic }) }),
      ).join(),
      /spec\.topic: expected topic and group whose names together are a Kafka name/,
    )
  completed(subscription({ topic: 't'.repeat(239) }))
  assert.match(
    messages(subscription({ retry: { backoffBaseMs: 20_000 } })).join(),
    /backoffBaseMs at most backoffMaxMs, came 20000 and 10000/,
  )
})

test('there is one Mesh', () => {
  assert.match(messages({ ...head('Mesh', 'other'), spec: {} }).join(), /metadata\.name: expected "mesh"/)
  assert.match(
    messages({ ...head('Mesh'), metadata: { name: 'mesh', namespace: 'x' }, spec: {} }).join(),
    /metadata\.namespace: expected "default"/,
  )
  for (const server of ['h', 'h:0', 'h:65536', ':1', 'h:1:2', 'h:1,h:2'])
    assert.match(
      messages({ ...head('Mesh', 'mesh'), spec: { kafka: { bootstrapServers: [server] } } }).join(),
      /expected host:port/,
      server,
    )
})

test('a resource that is too deep, too large or endless is refused before anything recursive sees it', () => {
  let deep: unknown = 'x'
  for (let i = 0; i < 100_000; i++) deep = { a: deep }
  assert.match(messages({ ...head('Topic'), spec: deep }).join(), /at most 32 levels/)
  assert.match(
    messages({ ...head('Topic'), spec: Array.from({ length: 60_000 }, () => 1) }).join(),
    /at most 50000 values/,
  )
  const endless: { self?: unknown } = {}
  endless.self = endless
  assert.match(messages({ ...head('Topic'), spec: endless }).join(), /at most/)
})

test('a thousand faults are answered with a hundred', () => {
  const rules = Array.from({ length: 1000 }, () => ({ form: 1 }))
  const found = messages(policy({ target: { mesh: true }, rules }))
  assert.equal(found.length, 101)
  assert.match(found.at(-1) ?? '', /900 more, not shown/)
})

test('whatever comes, validation answers and does not throw', () => {
  const names = fc.constantFrom(
    'apiVersion',
    'kind',
    'metadata',
    'spec',
    'target',
    'rules',
    'from',
    'to',
    'kafka',
    'http',
    '__proto__',
  )
  const values = fc.constantFrom<unknown>(
    'mesh.weft.dev/v1',
    ...KINDS,
    null,
    '',
    '*',
    '${',
    0,
    Number.NaN,
    true,
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6 },
      values,
      fc.dictionary(names, tie('tree')),
      fc.array(tie('tree'), { maxLength: 3 }),
    ),
  }))
  fc.assert(
    fc.property(tree, fc.constantFrom(...KINDS), (spec, kind) => {
      validateResource(spec)
      const result = validateResource({ ...head(kind), spec })
      assert.ok('resource' in result || result.faults.length > 0)
    }),
    { numRuns: 300 },
  )
})

test('there is a JSON schema for every kind', () => {
  assert.deepEqual(Object.keys(RESOURCE_SCHEMAS), [...KINDS])
})
