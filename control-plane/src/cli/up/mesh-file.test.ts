import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMeshFile } from './mesh-file.ts'

function faultsOf(text: string): string[] {
  const parsed = parseMeshFile(text, '/p/weft.yaml')
  assert.ok('faults' in parsed, 'expected faults')
  return parsed.faults.map(({ line, message }) => `${line} ${message}`)
}

test('defaults are filled in and paths are absolute', () => {
  assert.deepEqual(parseMeshFile('name: m\nservices:\n  a: { command: [node, a.js] }\n', '/p/weft.yaml'), {
    file: '/p/weft.yaml',
    folder: '/p',
    name: 'm',
    namespace: 'default',
    resources: [],
    kafka: { properties: {} },
    services: [
      {
        name: 'a',
        serviceAccount: 'a',
        command: ['node', 'a.js'],
        ingress: false,
        env: {},
        workdir: '/p',
        watch: [],
        restart: 'never',
      },
    ],
  })
})

test('everything that can be said is taken over', () => {
  const parsed = parseMeshFile(
    `name: m
namespace: shop
resources: [a, /b]
kafka: { port: 9092, properties: { num.io.threads: 4 } }
services:
  a:
    command: [node, a.js]
    serviceAccount: s
    port: 3000
    ingress: 8080
    env: { N: 1, B: true, T: text }
    workdir: sub
    healthPath: /ok
    watch: [src]
    restart: always
`,
    '/p/weft.yaml',
  )
  assert.ok(!('faults' in parsed))
  assert.deepEqual(parsed.resources, ['/p/a', '/b'])
  assert.deepEqual(parsed.kafka, { port: 9092, properties: { 'num.io.threads': '4' } })
  const [service] = parsed.services
  assert.deepEqual(service?.env, { N: '1', B: 'true', T: 'text' })
  assert.equal(service?.workdir, '/p/sub')
  assert.deepEqual(service?.watch, ['/p/src'])
  assert.equal(service?.ingress, 8080)
})

test('kafka: none is a mesh without Kafka, kafka without settings is one with', () => {
  const kafka = (text: string) => {
    const parsed = parseMeshFile(`name: m\n${text}\nservices: { a: { command: [x] } }`, '/p/weft.yaml')
    return 'faults' in parsed ? parsed.faults[0]?.message : parsed.kafka
  }
  assert.equal(kafka('kafka: none'), 'none')
  assert.deepEqual(kafka('kafka:'), { properties: {} })
  assert.equal(kafka('kafka: nope'), 'kafka: expected a map of settings, or none, came "nope"')
})

test('all faults come at once, each with its line', () => {
  const faults = faultsOf(`name: Not A Name
service:
  a: 1
services:
  b:
    comand: [node]
    port: 70000
    restart: maybe
`)
  assert.deepEqual(
    faults.map((fault) => fault.slice(0, 22)),
    [
      '1 name: expected lower',
      '2 service: expected on',
      '6 services.b.comand: e',
      '5 services.b.command: ',
      '7 services.b.port: exp',
      '8 services.b.restart: ',
    ].toSorted((x, y) => Number(x[0]) - Number(y[0])),
  )
  assert.match(faults.join('\n'), /did you mean services\?/)
})

test('what a schema cannot say: paths, variable names, and names of other parts', () => {
  const faults = faultsOf(`name: m
services:
  kafka: { command: [x] }
  a-sidecar: { command: [x] }
  b: { command: [x], healthPath: healthz, env: { "A B": 1 } }
`)
  assert.equal(faults.length, 4)
  assert.match(faults[0] ?? '', /^3 services\.kafka: expected a name that is not kafka/)
})

test('text that is no YAML, or hostile, is a fault and never an exception', () => {
  for (const text of [
    '',
    'a: [',
    '- 1',
    '"x"',
    'a: &a [*a]',
    '\u0000',
    `${'a'.repeat(2_000_000)}`,
    'name: m\nname: m\nservices: { a: { command: [x] } }',
  ])
    assert.ok(faultsOf(text).length > 0, JSON.stringify(text.slice(0, 40)))
})

test('an alias bomb is refused', () => {
  const levels = Array.from(
    { length: 12 },
    (_, n) =>
      `x${n}: &x${n} [${Array(9)
        .fill(n === 0 ? '1' : `*x${n - 1}`)
        .join(', ')}]`,
  )
  assert.match(faultsOf(levels.join('\n')).join('\n'), /used sparingly/)
})
