import avsc, { type Schema, type Type } from 'avsc'

export type { Type }

import type { EventSchema } from './schema.ts'

/**
 * The type of an Avro schema (Avro 1.12, "Schema Declaration"). 64-bit integers beyond those that a double holds are bigint: none is rounded.
 * Logical types are their underlying types. Throws Error that says what is wrong with the schema.
 */
export function avroType({ text, references = [] }: EventSchema): Type {
  // One registry: names that a reference defines are known to what comes after it. Wrapped: which alternative a value is of is said, never guessed.
  const options = { registry: { long: LONG }, wrapUnions: true } as const
  try {
    for (const reference of references) avsc.Type.forSchema(parse(reference.text), options)
    return avsc.Type.forSchema(parse(text), options)
  } catch (error) {
    // Nested beyond what the stack holds.
    if (error instanceof RangeError) throw new Error('expected a schema that is not nested so deeply')
    throw error
  }
}

const BARE_NAME = /^[a-z]+$/

/** A bare name is a schema too, with or without JSON's quotes: clients send both. */
function parse(text: string): Schema {
  if (BARE_NAME.test(text.trim())) return text.trim()
  const schema: unknown = JSON.parse(text)
  if (typeof schema === 'string' || (typeof schema === 'object' && schema !== null))
    return plain(schema) as Schema
  throw new Error(`expected an Avro schema, came ${typeof schema}`)
}

/** `{"type": "long", "logicalType": …}` is `"long"`: only by its name avsc finds the type of ours. */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain)
  if (typeof schema !== 'object' || schema === null) return schema
  const { type, fields, items, values } = schema as Readonly<Record<string, unknown>>
  if (type === 'array') return { ...schema, items: plain(items) }
  if (type === 'map') return { ...schema, values: plain(values) }
  if ((type === 'record' || type === 'error') && Array.isArray(fields))
    return { ...schema, fields: fields.map(plainField) }
  const isNamed = ['record', 'error', 'enum', 'fixed'].includes(type as string)
  return isNamed || type === undefined ? schema : plain(type)
}

const plainField = (field: unknown): unknown =>
  typeof field === 'object' && field !== null && 'type' in field
    ? { ...field, type: plain(field.type) }
    : field

const LONG_BYTES = 8
const MIN_LONG = -(2n ** 63n)
const MAX_LONG = 2n ** 63n - 1n
type Long = number | bigint

const LONG = avsc.types.LongType.__with({
  fromBuffer(bytes: Buffer): Long {
    const value = bytes.readBigInt64LE()
    const near = Number(value)
    return Number.isSafeInteger(near) ? near : value
  },
  toBuffer(value: Long): Buffer {
    const bytes = Buffer.alloc(LONG_BYTES)
    bytes.writeBigInt64LE(BigInt(value))
    return bytes
  },
  fromJSON: (value: Long): Long => value,
  toJSON: (value: Long): Long => value,
  isValid: isLong,
  compare: (a: Long, b: Long): number => (a < b ? -1 : a > b ? 1 : 0),
})

export function isLong(value: unknown): value is Long {
  return typeof value === 'bigint' ? value >= MIN_LONG && value <= MAX_LONG : Number.isSafeInteger(value)
}
