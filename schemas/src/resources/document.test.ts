import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocument } from './document.ts'

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string', format: 'dns-label' },
    size: { type: 'integer', minimum: 1, maximum: 9 },
  },
}
const read = (text: string) => readDocument({ text, file: 'f.yaml', schema })

test('a document that follows its schema comes back as its value', () => {
  const { value, faults } = read('name: a\nsize: 3\n')
  assert.deepEqual(value, { name: 'a', size: 3 })
  assert.deepEqual(faults, [])
})

test('all faults of a document come at once, in the order of the text, with their places', () => {
  const { faults } = read('size: 10\nnam: b\nsize: 1\n')
  assert.deepEqual(
    faults.map(({ line, column, path }) => `${line}:${column} ${path}`),
    ['1:1 name', '2:1 nam', '3:1 size'],
  )
  assert.match(
    read('size: 10\nname: a').faults[0]?.message ?? '',
    /^size: expected a whole number from 1 to 9, came 10$/,
  )
})

test('a fault of the reader itself gets its place too', () => {
  const { faultAt } = read('name: a\nsize: 3\n')
  assert.deepEqual(faultAt(['size'], 'an even number', '3'), {
    path: 'size',
    expected: 'an even number',
    came: '3',
    message: 'size: expected an even number, came 3',
    file: 'f.yaml',
    line: 2,
    column: 7,
  })
})

test('what cannot be read is one fault and no exception', () => {
  for (const text of ['', '[', 'a: *b', `${'x'.repeat(1_100_000)}`]) assert.ok(read(text).faults.length > 0)
})
