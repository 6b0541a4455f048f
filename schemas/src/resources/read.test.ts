import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocator, KINDS, MAX_TEXT_BYTES, readResources } from './index.ts'

const TOPIC = 'apiVersion: mesh.weft.dev/v1\nkind: Topic\nmetadata: { name: orders }\nspec: {}\n'

const faults = (text: string) =>
  readResources(text, 'f.yaml').faults.map(
    ({ line, column, path, message }) => `${line}:${column} ${path} | ${message}`,
  )
const names = (text: string) =>
  readResources(text, 'f.yaml').resources.map(({ resource }) => resource.metadata.name)

test('several documents are read, each with the line where it begins', () => {
  const { resources, faults: found } = readResources(
    `# first\n${TOPIC}---\n${TOPIC.replace('orders', 'other')}`,
    'f',
  )
  assert.deepEqual(found, [])
  assert.deepEqual(
    resources.map(({ resource, line, column, document }) => [resource.metadata.name, line, column, document]),
    [
      ['orders', 2, 1, 0],
      ['other', 7, 1, 1],
    ],
  )
})

test('a list of resources is read, as YAML and as JSON', () => {
  const item = '{"apiVersion":"mesh.weft.dev/v1","kind":"Topic","metadata":{"name":"a"},"spec":{}}'
  assert.deepEqual(names(`[\n\t${item},\n\t${item.replace('"a"', '"b"')}\n]`), ['a', 'b'])
  assert.deepEqual(names(`- ${item}`), ['a'])
})

test('blank and commented documents hold nothing and are no fault', () => {
  for (const text of ['', '\n', '# only a comment\n', '---\n---\n', `---\n# nothing\n---\n${TOPIC}`])
    assert.deepEqual(faults(text), [])
})

test('all faults of all documents come at once, in the order of the text, at their places', () => {
  assert.deepEqual(
    faults(
      `${TOPIC.replace('spec: {}', 'spec: { partitions: 0, retention: 5 }')}---\nkind: Servise\n---\n${TOPIC.replace('name: orders', 'name: 7')}`,
    ),
    [
      '4:21 spec.partitions | spec.partitions: expected a whole number from 1 to 10000, came 0',
      '4:24 spec.retention | spec.retention: expected one of name, partitions, replicationFactor, config, maxMessageBytes, producer, durability, trace, quota, faults, schema, came the unknown key "retention"',
      '6:1 apiVersion | apiVersion: expected "mesh.weft.dev/v1" or "gateway.networking.k8s.io/v1", came nothing',
      `6:7 kind | kind: expected one of ${KINDS.join(', ')}, came "Servise" (did you mean Service?)`,
      '10:19 metadata.name | metadata.name: expected a text, came 7 (put it in quotes)',
    ],
  )
})

test('a missing member is shown at what it is missing in', () => {
  assert.deepEqual(faults(TOPIC.replace('{ name: orders }', '\n  labels: {}')), [
    '3:1 metadata.name | metadata.name: expected a value: it is required, came nothing',
  ])
})

test('a key that stands twice is a fault at its second place', () => {
  assert.deepEqual(faults(TOPIC.replace('{ name: orders }', '{ name: a, name: b }')), [
    '3:22 name | name: expected each key once, came "name" again',
  ])
})

test('a resource that stands twice is a fault at its second place', () => {
  assert.deepEqual(faults(`${TOPIC}---\n${TOPIC}`), [
    '8:19 metadata.name | metadata.name: expected each resource once, came Topic default/orders again',
  ])
})

test('what is no map is a fault', () => {
  assert.deepEqual(faults('just text'), ['1:1  | expected a map, came "just text"'])
  assert.deepEqual(faults('- 1\n- null\n'), [
    '1:3  | expected a map, came 1',
    '2:3  | expected a map, came nothing (null)',
  ])
})

test('a syntax error has its place, and the documents around it are read', () => {
  const { resources, faults: found } = readResources(
    `${TOPIC}---\na: [1\n---\n${TOPIC.replace('orders', 'other')}`,
    'f',
  )
  assert.ok(found.length > 0 && found.every(({ line }) => line >= 6 && line <= 8), JSON.stringify(found))
  assert.equal(resources[0]?.resource.metadata.name, 'orders')
})

test('tags, keys that are no text and aliases without anchor are faults', () => {
  for (const spec of [
    '!!js/function x',
    '{ name: !secret x }',
    '{ ? [a] : b }',
    '*nowhere',
    '{ name: !!binary aGk= }',
  ])
    assert.notEqual(faults(TOPIC.replace('spec: {}', `spec: ${spec}`)).length, 0, spec)
})

test('merge keys have no meaning and are named as unknown', () => {
  assert.match(
    faults(TOPIC.replace('spec: {}', 'spec: { <<: { partitions: 1 } }')).join(),
    /the unknown key "<<"/,
  )
})

test('anchors work within one document', () => {
  const text = TOPIC.replace('{ name: orders }', '{ name: &n orders, labels: { a: *n } }')
  assert.deepEqual(readResources(text, 'f').resources[0]?.resource.metadata.labels, { a: 'orders' })
})

test('an alias bomb is refused', () => {
  const levels = 'bcdefghijklmnop'.split('')
  const bomb = levels.map(
    (name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghijklmno'[index]}`).join(',')}]`,
  )
  assert.match(
    faults(`a: &a [x,x,x,x,x,x,x,x,x]\n${bomb.join('\n')}\n`).join(),
    /anchors that are defined and used sparingly/,
  )
})

test('an alias of itself is refused', () => {
  assert.notEqual(faults('&a [*a]').length, 0)
  assert.notEqual(faults(`${TOPIC.replace('spec: {}', 'spec: &s { config: *s }')}`).length, 0)
})

test('texts that are deep, wide or large are refused, not followed', () => {
  assert.notEqual(faults('['.repeat(100_000)).length, 0)
  assert.notEqual(faults('- '.repeat(10_000)).length, 0)
  assert.notEqual(faults(`${'{a: '.repeat(3000)}1${'}'.repeat(3000)}`).length, 0)
  assert.match(faults(`${TOPIC}#${'x'.repeat(MAX_TEXT_BYTES)}`).join(), /expected at most 1048576 bytes/)
  assert.notEqual(
    faults(`spec:\n${Array.from({ length: 60_000 }, (_, index) => `  k${index}: 1`).join('\n')}`).length,
    0,
  )
})

test('names of prototypes are ordinary unknown keys', () => {
  assert.match(
    faults(TOPIC.replace('spec: {}', 'spec: { __proto__: { partitions: 1 } }')).join(),
    /unknown key "__proto__"/,
  )
  assert.equal(({} as { partitions?: unknown }).partitions, undefined)
})

test('a locator finds members and, for what is missing, what it is missing in', () => {
  const text = `${TOPIC}---\n${TOPIC.replace('orders', 'other')}`
  const locate = createLocator(text)
  assert.deepEqual(locate({ document: 1 }, ['metadata', 'name']), { line: 8, column: 19 })
  assert.deepEqual(locate({ document: 1 }, ['spec', 'name']), { line: 9, column: 1 })
  assert.deepEqual(locate({ document: 7 }, ['spec']), { line: 1, column: 1 })
})

test('a text of nothing but faults is answered with a bounded number of them', () => {
  const { faults: found } = readResources('---\nx\n'.repeat(50_000), 'f')
  assert.equal(found.length, 1000)
})
