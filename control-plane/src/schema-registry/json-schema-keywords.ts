/** The keywords of JSON Schema by the type of value that they speak of: what the reader asks for must follow from what the writer says. */
import type { JsonSchema } from '@weft/schemas/event-schema'
import { type At, type Part, pathOf, typesOf } from './json-schema-part.ts'

export interface Comparing {
  /** Compares parts of the two, and keeps what is found. */
  compare(reader: JsonSchema, writer: JsonSchema, at: At): void
  areSame(a: unknown, b: unknown): boolean
}

export function numberFaults(r: Part, w: Part, at: At): readonly string[] {
  const types = typesOf(w)
  if (!types.has('number') && !types.has('integer')) return []
  const { multipleOf } = r
  const isMultiple =
    multipleOf === undefined ||
    (typeof w.multipleOf === 'number' && Number.isInteger(w.multipleOf / Number(multipleOf))) ||
    (multipleOf === 1 && !types.has('number'))
  return [
    ...limitFaults(r, w, at, 'low', ['minimum', 'exclusiveMinimum']),
    ...limitFaults(r, w, at, 'high', ['maximum', 'exclusiveMaximum']),
    ...(isMultiple
      ? []
      : [`${pathOf(at)}.multipleOf: expected multiples of ${JSON.stringify(multipleOf)}, may be others`]),
  ]
}

export function textFaults(r: Part, w: Part, at: At): readonly string[] {
  if (!typesOf(w).has('string')) return []
  return [...limitFaults(r, w, at, 'low', ['minLength']), ...limitFaults(r, w, at, 'high', ['maxLength'])]
}

export function arrayFaults(r: Part, w: Part, at: At, { compare, areSame }: Comparing): readonly string[] {
  if (!typesOf(w).has('array')) return []
  const faults = [
    ...limitFaults(r, w, at, 'low', ['minItems']),
    ...limitFaults(r, w, at, 'high', ['maxItems']),
  ]
  if (r.uniqueItems === true && w.uniqueItems !== true)
    faults.push(`${pathOf(at)}.uniqueItems: may repeat items`)
  if (r.items === undefined || areSame(r.items, w.items)) return faults
  // A list of schemas, one for each place, in either: not understood here.
  if (Array.isArray(r.items) || Array.isArray(w.items) || w.prefixItems !== undefined)
    return [...faults, `${pathOf(at)}.items: is not the same`]
  compare(r.items as JsonSchema, (w.items ?? true) as JsonSchema, [...at, 'items'])
  return faults
}

const nameOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

export function objectFaults(r: Part, w: Part, at: At, { compare, areSame }: Comparing): readonly string[] {
  if (!typesOf(w).has('object')) return []
  const faults = [
    ...limitFaults(r, w, at, 'low', ['minProperties']),
    ...limitFaults(r, w, at, 'high', ['maxProperties']),
  ]
  const always = new Set([w.required].flat())
  for (const name of [r.required ?? []].flat())
    if (!always.has(name)) faults.push(`${pathOf([...at, nameOf(name)])}: is required, and may be missing`)
  if (w.patternProperties !== undefined && !areSame(r.patternProperties, w.patternProperties))
    return [...faults, `${pathOf(at)}.patternProperties: is not the same`]
  const [readers, writers] = [propertiesOf(r), propertiesOf(w)]
  const [readerRest, writerRest] = [restOf(r), restOf(w)]
  for (const name of new Set([...Object.keys(readers), ...Object.keys(writers)]))
    compare(readers[name] ?? readerRest, writers[name] ?? writerRest, [...at, name])
  compare(readerRest, writerRest, [...at, '*'])
  return faults
}

const propertiesOf = (part: Part): Readonly<Record<string, JsonSchema>> =>
  Object.assign(Object.create(null) as Record<string, JsonSchema>, part.properties)

/** What holds for a property that is not named. */
const restOf = (part: Part): JsonSchema => (part.additionalProperties ?? true) as JsonSchema

/** `low`: the writer's limit must not be below the reader's; `high`: not above it. With two keywords the second excludes the limit itself. */
function limitFaults(
  r: Part,
  w: Part,
  at: At,
  side: 'low' | 'high',
  [keyword, exclusive = '']: readonly [string, string?],
): readonly string[] {
  const sign = side === 'low' ? 1 : -1
  const isTighter = (limit: number, isExclusive: boolean): boolean =>
    (typeof w[keyword] === 'number' &&
      (isExclusive ? sign * w[keyword] > sign * limit : sign * w[keyword] >= sign * limit)) ||
    (typeof w[exclusive] === 'number' && sign * w[exclusive] >= sign * limit)
  return [[keyword, false] as const, [exclusive, true] as const].flatMap(([name, isExclusive]) => {
    const limit = r[name]
    // draft-04 has true and false here, which say nothing by themselves.
    if (limit === undefined || typeof limit === 'boolean') return []
    if (typeof limit === 'number' && isTighter(limit, isExclusive)) return []
    return [`${pathOf([...at, name])}: expected ${JSON.stringify(limit)}, may go beyond it`]
  })
}
