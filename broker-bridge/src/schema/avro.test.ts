import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { avroType } from '@weft/schemas/event-schema'
import fc from 'fast-check'
import { fromAvro } from './from-avro.ts'
import { toAvro } from './to-avro.ts'

const typeOf = (schema: unknown) => avroType({ type: 'AVRO', text: JSON.stringify(schema) })
const record = (...fields: readonly object[]) => ({ type: 'record', name: 'Order', fields })
const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more })

const ORDER = record(
  field('id', 'string'),
  field('count', 'int'),
  field('total', 'double', { default: 1.5 }),
  field('note', ['null', 'string'], { default: null }),
  field('lines', {
    type: 'array',
    items: { type: 'record', name: 'Line', fields: [field('sku', 'string')] },
  }),
  field('tags', { type: 'map', values: 'long' }, { default: {} }),
  field('state', { type: 'enum', name: 'State', symbols: ['NEW', 'PAID'] }, { default: 'NEW' }),
  field('hash', { type: 'fixed', name: 'Hash', size: 2 }, { default: 'ab' }),
  field('raw', 'bytes', { default: '\u00ff' }),
  field('kind', ['int', 'long', 'string', 'boolean'], { default: 5 }),
)
const LEAST = { id: 'a', count: 1, lines: [] }

function there(schema: unknown, json: unknown): unknown {
  const type = typeOf(schema)
  const { value, faults } = toAvro(type, json)
  assert.deepEqual(faults, [])
  return JSON.parse(JSON.stringify(fromAvro(type, type.toBuffer(value))))
}
const faultsOf = (schema: unknown, json: unknown) => toAvro(typeOf(schema), json).faults

describe('JSON goes there and back', () => {
  it('with the defaults of what is missing', () => {
    assert.deepEqual(there(ORDER, LEAST), {
      ...{ id: 'a', count: 1, total: 1.5, note: null, lines: [], tags: {}, state: 'NEW', hash: 'ab' },
      ...{ raw: '\u00ff', kind: 5 },
    })
  })

  it('with a union as its plain value, and as the JSON encoding of Avro has it', () => {
    for (const note of ['x', { string: 'x' }])
      assert.equal((there(ORDER, { ...LEAST, note }) as { note: string }).note, 'x')
    for (const kind of [{ long: 3 }, 2 ** 40, 'text', true])
      assert.deepEqual(
        (there(ORDER, { ...LEAST, kind }) as { kind: unknown }).kind,
        (kind as { long?: number }).long ?? kind,
      )
  })

  it('with the branch of a union of records that fits', () => {
    const [a, b] = ['a', 'b'].map((name) => ({
      type: 'record',
      name: `R${name}`,
      fields: [field(name, 'int')],
    }))
    assert.deepEqual(there([a, b], { b: 1 }), { b: 1 })
    assert.deepEqual(there([a, b], { Rb: { b: 1 } }), { b: 1 })
    assert.match(faultsOf([a, b], { c: 1 }).join(), /\$: expected one of \[Ra, Rb\], came an object/)
  })

  it('with longs that no double holds, and with what is no number', () => {
    const type = typeOf(record(field('n', 'long'), field('d', 'double')))
    const { value, faults } = toAvro(type, { n: 2n ** 62n, d: 'NaN' })
    assert.deepEqual(faults, [])
    assert.deepEqual({ ...(fromAvro(type, type.toBuffer(value)) as object) }, { n: 2n ** 62n, d: Number.NaN })
  })

  it('with logical types, as the types that are under them', () => {
    const at = { type: 'long', logicalType: 'timestamp-millis' }
    const price = { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }
    const schema = record(
      field('at', at),
      field('price', price),
      field('maybe', ['null', at]),
      field('deep', { type: at }),
    )
    const json = { at: 1_700_000_000_000, price: '\u0001', maybe: 5, deep: 6 }
    assert.deepEqual(there(schema, json), json)
  })

  it('with any name of a field or key', () => {
    const schema = record(field('__proto__', 'int'), field('m', { type: 'map', values: 'int' }))
    const json: unknown = JSON.parse('{"__proto__":1,"m":{"__proto__":2,"constructor":3}}')
    assert.equal(JSON.stringify(there(schema, json)), '{"__proto__":1,"m":{"__proto__":2,"constructor":3}}')
  })
})

it('says every fault with its path', () => {
  const faulty = {
    count: 1.5,
    total: '1',
    note: 5,
    lines: [{ sku: 'a' }, { sku: null, size: 3 }, 'x'],
    tags: { a: 1, b: 'x' },
    state: 'LOST',
    hash: 'abc',
    raw: '\u0100',
    kind: [],
    more: 1,
  }
  assert.deepEqual(faultsOf(ORDER, faulty), [
    '$.id: expected string, it is missing',
    '$.count: expected int, came 1.5',
    '$.total: expected double, came "1"',
    '$.note: expected string, came 5',
    '$.lines[1].sku: expected string, came null',
    '$.lines[1].size: is no field of Line',
    '$.lines[2]: expected an object, Line, came "x"',
    '$.tags.b: expected long, came "x"',
    '$.state: expected one of NEW, PAID, came "LOST"',
    '$.hash: expected 2 bytes, as a text of the characters U+0000 to U+00FF, came "abc"',
    '$.raw: expected bytes, as a text of the characters U+0000 to U+00FF, came "\u0100"',
    '$.kind: expected one of [int, long, string, boolean], came a list',
    '$.more: is no field of Order',
  ])
  assert.deepEqual(faultsOf(ORDER, [1]), ['$: expected an object, Order, came a list'])
})

describe('what is made to be hard', () => {
  it('JSON that is nested without end', () => {
    const node = record(field('next', ['null', 'Order'], { default: null }))
    let json: object = {}
    for (let depth = 0; depth < 5_000; depth++) json = { next: json }
    assert.match(faultsOf(node, json).join(), /nested too deeply/)
  })

  it('alternatives that double with each step', () => {
    const b = { type: 'record', name: 'B', fields: [field('x', ['null', 'A', 'B', 'int'])] }
    const a = { type: 'record', name: 'A', fields: [field('x', ['null', 'A', b, 'int'])] }
    let json: object = { x: 'fault' }
    for (let depth = 0; depth < 90; depth++) json = { x: json }
    assert.ok(faultsOf(a, json).length > 0)
  })

  it('bytes that promise more than there is', () => {
    const arrays = typeOf({ type: 'array', items: 'int' })
    const nulls = typeOf({ type: 'array', items: 'null' })
    const huge = Buffer.from('feffffff0f', 'hex')
    assert.throws(() => fromAvro(arrays, huge), /expected more bytes/)
    assert.throws(() => fromAvro(nulls, huge), /at most 10000 items/)
    assert.throws(() => fromAvro(typeOf('string'), huge), /expected 2147483647 bytes/)
    assert.throws(() => fromAvro(typeOf('bytes'), Buffer.from('01', 'hex')), /expected -1 bytes/)
    assert.throws(() => fromAvro(typeOf('long'), Buffer.alloc(20, 0xff)), /ten bytes/)
    assert.throws(() => fromAvro(typeOf('int'), Buffer.from('feffffffff0f', 'hex')), /expected an int/)
    assert.throws(() => fromAvro(typeOf('boolean'), Buffer.from([7])), /boolean/)
    assert.throws(() => fromAvro(typeOf('int'), Buffer.from([2, 2])), /1 more bytes/)
    assert.throws(() => fromAvro(typeOf(['null', 'int']), Buffer.from([8])), /choice from 0 to 1/)
    assert.throws(() => fromAvro(typeOf('string'), Buffer.from([2, 0xff])))
  })

  it('any bytes at all: an answer or an error, soon', () => {
    const type = typeOf(ORDER)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          fromAvro(type, Buffer.from(bytes))
        } catch (error) {
          assert.ok(error instanceof Error)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

it('writes and reads as avsc does', () => {
  const orders = fc.record({
    id: fc.string({ unit: 'grapheme' }),
    count: fc.integer(),
    total: fc.double(),
    note: fc.option(fc.string()),
    lines: fc.array(fc.record({ sku: fc.string() }), { maxLength: 100 }),
    tags: fc.dictionary(
      fc.string(),
      fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: 2n ** 60n, max: 2n ** 62n })),
    ),
    state: fc.constantFrom('NEW', 'PAID'),
    hash: fc.constantFrom('ab', '\u0000\u00ff'),
    raw: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
    kind: fc.oneof(fc.integer(), fc.boolean(), fc.string()),
  })
  const type = typeOf(ORDER)
  fc.assert(
    fc.property(orders, (order) => {
      const { value, faults } = toAvro(type, order)
      assert.deepEqual(faults, [])
      const bytes = type.toBuffer(value)
      const read = fromAvro(type, bytes) as typeof order
      assert.deepEqual({ ...read.tags }, { ...order.tags })
      assert.deepEqual([...type.toBuffer(toAvro(type, read).value)], [...bytes])
      assert.ok(type.isValid(value))
    }),
  )
})
