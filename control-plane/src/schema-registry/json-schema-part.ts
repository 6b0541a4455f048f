/** A schema within a JSON Schema: where it stands, where its references lead, which types of values it speaks of. */
import type { JsonSchema } from '@weft/schemas/event-schema'

export type Part = Readonly<Record<string, unknown>>
export type At = readonly string[]

export const MAX_DEPTH = 100

export const pathOf = (at: At): string => ['$', ...at].join('.')

export const ANNOTATIONS: ReadonlySet<string> = new Set([
  ...[
    '$schema',
    '$id',
    'id',
    '$comment',
    '$anchor',
    '$defs',
    'definitions',
    'title',
    'description',
    'default',
  ],
  ...['examples', 'deprecated', 'readOnly', 'writeOnly', 'contentEncoding', 'contentMediaType'],
])

/** Takes whatever there is. */
export const isEmpty = (schema: JsonSchema): boolean =>
  schema === true || (schema !== false && Object.keys(schema).every((keyword) => ANNOTATIONS.has(keyword)))

/** Follows `$ref: "#/…"`; undefined for any other. What stands beside a reference does not count, as in draft-07. */
export function resolved(part: JsonSchema, root: JsonSchema): JsonSchema | undefined {
  let current = part
  for (let steps = 0; steps < MAX_DEPTH; steps++) {
    if (typeof current === 'boolean' || current.$ref === undefined) return current
    const target = typeof current.$ref === 'string' ? targetOf(current.$ref, root) : undefined
    if (target === undefined) return undefined
    current = target
  }
  return undefined
}

function targetOf(pointer: string, root: JsonSchema): JsonSchema | undefined {
  if (pointer !== '#' && !pointer.startsWith('#/')) return undefined
  let target: unknown = root
  for (const step of pointer.split('/').slice(1)) {
    if (typeof target !== 'object' || target === null) return undefined
    target = (target as Part)[step.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return typeof target === 'boolean' || (typeof target === 'object' && target !== null)
    ? (target as JsonSchema)
    : undefined
}

const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']

/** The types that a value may have; with `number` comes `integer`. */
export function typesOf(schema: Part): ReadonlySet<string> {
  const named =
    schema.type === undefined ? (valuesOf(schema)?.map(typeOf) ?? TYPES) : [schema.type].flat().map(String)
  return new Set(named.flatMap((name) => (name === 'number' ? ['number', 'integer'] : [name])))
}

/** Those that `enum` or `const` names; undefined where neither does. */
export function valuesOf(schema: Part): readonly unknown[] | undefined {
  if (Array.isArray(schema.enum)) return schema.enum as readonly unknown[]
  return 'const' in schema ? [schema.const] : undefined
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
