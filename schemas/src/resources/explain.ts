/** Turns the errors of a JSON Schema validation into faults in the words of a person. */
import type { ErrorObject } from 'ajv'
import { type FaultPath, type LocatedFault, locatedFault, showValue } from './fault.ts'
import { FORMATS, type FormatName } from './formats.ts'
import { isMap } from './kinds/definition.ts'
import { nearest } from './nearest.ts'

/** The fault that an error stands for; undefined for an error that only repeats another. Needs ajv's `verbose`. */
export function explain(error: ErrorObject): LocatedFault | undefined {
  const at = pathOf(error)
  const parameters = error.params as Readonly<Record<string, unknown>>
  const came = showValue(error.data)
  switch (error.keyword) {
    case 'required': {
      const missing = [...at, String(parameters.missingProperty)]
      return locatedFault({ at: missing, expected: 'a value: it is required', came: 'nothing' })
    }
    case 'additionalProperties':
      return unknownMember(at, String(parameters.additionalProperty), error.parentSchema)
    case 'type':
      return wrongType(at, parameters.type, error.data)
    case 'format':
      return locatedFault({
        at,
        expected: FORMATS[parameters.format as FormatName].expected,
        came,
        onKey: error.propertyName !== undefined,
      })
    case 'enum':
      return wrongChoice(at, parameters.allowedValues, error.data)
    case 'const':
      return wrongChoice(at, [parameters.allowedValue], error.data)
    case 'minimum':
    case 'maximum':
      return locatedFault({ at, expected: rangeOf(error.parentSchema), came })
    case 'minProperties':
    case 'maxProperties':
      return locatedFault({
        at,
        expected: memberCount(error.parentSchema, error.keyword),
        came: memberNames(error.data),
      })
    case 'minItems':
      return locatedFault({ at, expected: 'at least one entry', came })
    case 'maxItems':
      return locatedFault({ at, expected: `at most ${String(parameters.limit)} entries`, came: 'more' })
    case 'maxLength':
      return locatedFault({ at, expected: `at most ${String(parameters.limit)} characters`, came: 'more' })
    case 'propertyNames':
      return undefined // the error of the name itself is in the list too
    default:
      return locatedFault({ at, expected: error.message ?? error.keyword, came })
  }
}

/** `/spec/rules/0/to` → members and indexes. An error about a member's name points to that member. */
function pathOf(error: ErrorObject): FaultPath {
  const parts = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    // No map of ours has members that are numbers, but for labels, and their path reads well either way.
    .map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : part))
  return error.propertyName === undefined ? parts : [...parts, error.propertyName]
}

function unknownMember(at: FaultPath, name: string, schema: unknown): LocatedFault {
  const known = isMap(schema) && isMap(schema.properties) ? Object.keys(schema.properties) : []
  const meant = nearest(name, known)
  return locatedFault({
    at: [...at, name],
    expected: known.length === 1 ? `only ${known[0]}` : `one of ${known.join(', ')}`,
    came: `the unknown key ${showValue(name)}`,
    ...(meant !== undefined && { hint: `did you mean ${meant}?` }),
    onKey: true,
  })
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  array: 'a list',
}

function wrongType(at: FaultPath, type: unknown, data: unknown): LocatedFault {
  const types = Array.isArray(type) ? type.map(String) : [String(type)]
  const wantsText = types.includes('string')
  const isUnquoted = typeof data === 'number' || typeof data === 'boolean'
  return locatedFault({
    at,
    expected: types.map((name) => TYPE_WORDS[name] ?? name).join(' or '),
    came: showValue(data),
    ...(wantsText && isUnquoted && { hint: 'put it in quotes' }),
  })
}

function wrongChoice(at: FaultPath, allowed: unknown, data: unknown): LocatedFault {
  const values = Array.isArray(allowed) ? allowed : []
  const names = values.filter((value) => typeof value === 'string')
  const meant = typeof data === 'string' ? nearest(data, names) : undefined
  return locatedFault({
    at,
    expected: values.length === 1 ? showValue(values[0]) : `one of ${values.map(showValue).join(', ')}`,
    came: showValue(data),
    ...(meant !== undefined && values.length > 1 && { hint: `did you mean ${meant}?` }),
  })
}

function rangeOf(schema: unknown): string {
  const { type, minimum, maximum } = isMap(schema) ? schema : {}
  return `${type === 'integer' ? 'a whole number' : 'a number'} from ${String(minimum)} to ${String(maximum)}`
}

function memberCount(schema: unknown, keyword: string): string {
  if (!isMap(schema)) return 'another number of members'
  const known = isMap(schema.properties) ? Object.keys(schema.properties).join(', ') : ''
  if (schema.minProperties === 1 && schema.maxProperties === 1) return `exactly one of ${known}`
  if (keyword === 'minProperties') return known === '' ? 'at least one member' : `at least one of ${known}`
  return `at most ${String(schema.maxProperties)} members`
}

function memberNames(data: unknown): string {
  const names = isMap(data) ? Object.keys(data) : []
  return names.length === 0 ? 'none' : names.slice(0, 8).join(', ')
}
