import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type JsonSchema, jsonValidator } from '@weft/schemas/event-schema'
import fc from 'fast-check'
import { jsonSchemaFaults } from './json-schema-subset.ts'

const text = { type: 'string' }
const closed = (properties: object, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

/** reader, writer */
const TAKEN: readonly (readonly [string, object | boolean, object | boolean])[] = [
  ['the same', closed({ a: text }), closed({ a: text })],
  ['anything', true, { type: 'array' }],
  ['annotations', { title: 'new', type: 'string' }, text],
  ['a wider type', { type: 'number' }, { type: 'integer' }],
  ['more types', { type: ['string', 'null'] }, text],
  ['more values', { enum: ['a', 'b', 'c'] }, { enum: ['a', 'c'] }],
  ['a constant among values', { enum: ['a', 'b'] }, { const: 'a' }],
  ['wider limits', { minimum: 0, maxLength: 9 }, { type: 'integer', minimum: 1 }],
  ['a limit that is excluded', { type: 'number', minimum: 0 }, { type: 'number', exclusiveMinimum: 0 }],
  ['an optional property of a closed object', closed({ a: text, b: text }), closed({ a: text })],
  ['a property that is required no more', closed({ a: text }), closed({ a: text }, ['a'])],
  [
    'an open object',
    { type: 'object', properties: { a: text } },
    closed({ a: text, b: { type: 'integer' } }),
  ],
  ['wider items', { items: { type: 'number' } }, { type: 'array', items: { type: 'integer' } }],
  ['an alternative', { anyOf: [text, { type: 'integer' }] }, text],
  ['each alternative', { type: ['string', 'null'] }, { anyOf: [text, { type: 'null' }] }],
  [
    'a reference',
    { definitions: { a: text }, items: { $ref: '#/definitions/a' } },
    { type: 'array', items: text },
  ],
  [
    'a schema that refers to itself',
    { definitions: { t: closed({ next: { $ref: '#/definitions/t' }, a: text }) }, $ref: '#/definitions/t' },
    { definitions: { t: closed({ next: { $ref: '#/definitions/t' } }) }, $ref: '#/definitions/t' },
  ],
]

const NOT_TAKEN: readonly (readonly [string, object | boolean, object | boolean, RegExp])[] = [
  ['nothing', false, text, /not any more/],
  ['another type', text, { type: 'integer' }, /^\$: expected string, may be integer/],
  ['a narrower type', { type: 'integer' }, { type: 'number' }, /may be number/],
  ['fewer values', { enum: ['a'] }, { enum: ['a', 'b'] }, /may be "b"/],
  ['any value', { enum: ['a'] }, text, /anything else/],
  ['a new required property', closed({ a: text }, ['a']), closed({ a: text }), /\$\.a: is required/],
  ['a property of an open object', { properties: { a: text } }, { type: 'object' }, /\$\.a/],
  ['a property less', closed({}), closed({ a: text }), /\$\.a: was allowed/],
  ['a tighter limit', { minLength: 2 }, { type: 'string', minLength: 1 }, /minLength/],
  ['a limit', { maximum: 5 }, { type: 'number' }, /maximum/],
  ['the limit itself', { exclusiveMaximum: 5 }, { type: 'number', maximum: 5 }, /exclusiveMaximum/],
  ['another pattern', { pattern: 'a' }, { type: 'string', pattern: 'b' }, /pattern/],
  ['deep', closed({ a: closed({ b: text }) }), closed({ a: closed({ b: {} }) }), /\$\.a\.b/],
  ['one alternative of two', text, { anyOf: [text, { type: 'null' }] }, /may be null/],
  ['no alternative', { anyOf: [{ type: 'null' }, { type: 'integer' }] }, text, /no alternative/],
  ['a file', { $ref: 'http://x/y' }, text, /references to parts/],
  [
    'the same reference to another definition',
    { allOf: [{ $ref: '#/definitions/a' }], definitions: { a: text } },
    { allOf: [{ $ref: '#/definitions/a' }], definitions: { a: {} } },
    /allOf/,
  ],
  ['fewer that contain', { contains: text }, { type: 'array', contains: text, minContains: 0 }, /contains/],
]

describe('a JSON Schema takes all that another describes', () => {
  for (const [name, reader, writer] of TAKEN)
    it(name, () => assert.deepEqual(jsonSchemaFaults(reader as JsonSchema, writer as JsonSchema), []))
})

describe('a JSON Schema does not take all that another describes', () => {
  for (const [name, reader, writer, fault] of NOT_TAKEN)
    it(name, () =>
      assert.match(jsonSchemaFaults(reader as JsonSchema, writer as JsonSchema).join('\n'), fault),
    )
})

/** Small schemas over small values, so that a wrong verdict meets its counterexample. */
const schemas = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom({}, text, { type: 'integer' }, { type: 'number' }, { type: 'null' }),
    fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ maxLength: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ enum: fc.uniqueArray(fc.constantFrom<unknown>('', 'a', 1, null), { minLength: 1 }) }),
    fc.record({ type: fc.constant('array'), items: tie('schema'), maxItems: fc.constantFrom(1, 2) }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
    fc.record({
      properties: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema'), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
      required: fc.subarray(['a', 'b']),
      additionalProperties: fc.boolean(),
    }),
  ),
}))
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom<unknown>('', 'a', 'aaa', 0, 1, 3, 1.5, null, true),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { noNullPrototype: true }),
  ),
}))

it('never says that one takes all where a value shows that it does not', () => {
  fc.assert(
    fc.property(
      schemas.schema,
      schemas.schema,
      fc.array(values.value, { minLength: 8 }),
      (reader, writer, samples) => {
        if (jsonSchemaFaults(reader as JsonSchema, writer as JsonSchema).length > 0) return
        const [takes, writes] = [reader, writer].map((schema) =>
          jsonValidator({ type: 'JSON', text: JSON.stringify(schema) }),
        )
        for (const sample of samples)
          if (writes?.(sample) === true) assert.equal(takes?.(sample), true, JSON.stringify(sample))
      },
    ),
    { numRuns: 1_000 },
  )
})

it('does not look for ever at alternatives within alternatives', () => {
  let [reader, writer]: [object, object] = [{ type: 'string' }, { type: 'null' }]
  for (let depth = 0; depth < 40; depth++) {
    reader = { anyOf: [reader, { items: reader }, { properties: { x: reader } }] }
    writer = { anyOf: [writer, { items: writer }, { properties: { x: writer } }] }
  }
  assert.match(jsonSchemaFaults(reader as JsonSchema, writer as JsonSchema).join('\n'), /alternative/)
})
