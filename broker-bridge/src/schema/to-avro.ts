/** JSON to what avsc writes, with every fault and its path. Unions are taken both as plain values and as Avro's JSON encoding has them. */
import { isLong, type Type } from '@weft/schemas/event-schema'
import { nameOf, partsOf, shapeOf } from './avro-parts.ts'

/** Nested deeper than any event of people; the stack holds more. */
const MAX_DEPTH = 200
/** Alternatives of unions are tried one by one: what needs more steps than this is no event, it is an attack. */
const MAX_STEPS = 300_000
const MAX_FAULTS = 20
const MAX_INT = 2 ** 31 - 1
const NOT_NUMBERS = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

export interface Converted {
  readonly value: unknown
  /** What does not fit, each with its path; at most 20. The value is of no use where there is any. */
  readonly faults: readonly string[]
}

export function toAvro(type: Type, json: unknown): Converted {
  const conversion = new Conversion()
  const value = conversion.convert(type, json, '$', 0)
  return { value, faults: conversion.faults.slice(0, MAX_FAULTS) }
}

class Conversion {
  faults: string[] = []
  #steps = 0

  convert(type: Type, json: unknown, path: string, depth: number): unknown {
    if (depth > MAX_DEPTH || ++this.#steps > MAX_STEPS)
      return this.#fault(`${path}: is nested too deeply or has too many alternatives`)
    switch (shapeOf(type)) {
      case 'record':
      case 'error':
        return this.#record(type, json, path, depth)
      case 'array':
        if (!Array.isArray(json)) return this.#expected('a list', json, path)
        return json.map((item, at) =>
          this.convert(partsOf(type).itemsType, item, `${path}[${at}]`, depth + 1),
        )
      case 'map':
        return this.#map(type, json, path, depth)
      case 'union:wrapped':
        return this.#union(type, json, path, depth)
      default:
        return this.#scalar(type, json, path)
    }
  }

  #record(type: Type, json: unknown, path: string, depth: number): unknown {
    if (!isMap(json)) return this.#expected(`an object, ${nameOf(type)}`, json, path)
    // Without a prototype: any name may be that of a field.
    const value = Object.create(null) as Record<string, unknown>
    const { fields } = partsOf(type)
    for (const field of fields) {
      const at = `${path}.${field.name}`
      if (Object.hasOwn(json, field.name))
        value[field.name] = this.convert(field.type, json[field.name], at, depth + 1)
      else {
        value[field.name] = field.defaultValue()
        if (value[field.name] === undefined)
          this.#fault(`${at}: expected ${nameOf(field.type)}, it is missing`)
      }
    }
    // It would be lost.
    for (const name of Object.keys(json))
      if (!fields.some((field) => field.name === name))
        this.#fault(`${path}.${name.slice(0, 80)}: is no field of ${nameOf(type)}`)
    return value
  }

  #map(type: Type, json: unknown, path: string, depth: number): unknown {
    if (!isMap(json)) return this.#expected('an object', json, path)
    const { valuesType } = partsOf(type)
    // Without a prototype: any name may be a key.
    const value = Object.create(null) as Record<string, unknown>
    for (const [key, entry] of Object.entries(json))
      value[key] = this.convert(valuesType, entry, `${path}.${key.slice(0, 80)}`, depth + 1)
    return value
  }

  #union(type: Type, json: unknown, path: string, depth: number): unknown {
    const { types } = partsOf(type)
    const as = (branch: Type, value: unknown): unknown => ({ [branch.branchName ?? '']: value })
    const named = isMap(json) && Object.keys(json).length === 1 ? branchNamed(types, json) : undefined
    if (named !== undefined) {
      const value = this.#attempt(named.branch, named.json, path, depth)
      if (value !== FAULTY) return as(named.branch, value)
    }
    const others = types.filter((branch) => shapeOf(branch) !== 'null')
    if (json === null && others.length < types.length) return null
    const [only] = others
    // No other can be meant: its faults are those of the event.
    if (only !== undefined && others.length === 1) return as(only, this.convert(only, json, path, depth + 1))
    for (const branch of others) {
      const value = this.#attempt(branch, json, path, depth)
      if (value !== FAULTY) return as(branch, value)
    }
    return this.#expected(`one of ${nameOf(type)}`, json, path)
  }

  #attempt(branch: Type, json: unknown, path: string, depth: number): unknown {
    const before = this.faults
    this.faults = []
    const value = this.convert(branch, json, path, depth + 1)
    const isFaulty = this.faults.length > 0
    this.faults = before
    return isFaulty ? FAULTY : value
  }

  #scalar(type: Type, json: unknown, path: string): unknown {
    const value = scalar(type, json)
    return value === FAULTY ? this.#expected(scalarText(type), json, path) : value
  }

  #expected(what: string, json: unknown, path: string): undefined {
    this.#fault(`${path}: expected ${what}, came ${show(json)}`)
  }

  #fault(fault: string): undefined {
    if (this.faults.length < MAX_FAULTS) this.faults.push(fault)
  }
}

const FAULTY = Symbol('faulty')

function scalar(type: Type, json: unknown): unknown {
  const fits = (holds: boolean, value: unknown = json): unknown => (holds ? value : FAULTY)
  switch (shapeOf(type)) {
    case 'null':
      return fits(json === null)
    case 'boolean':
      return fits(typeof json === 'boolean')
    case 'int':
      return fits(Number.isInteger(json) && Number(json) <= MAX_INT && Number(json) >= -MAX_INT - 1)
    case 'abstract:long':
      return fits(isLong(json))
    case 'float':
    case 'double':
      if (typeof json === 'bigint') return Number(json)
      return typeof json === 'string' ? (NOT_NUMBERS.get(json) ?? FAULTY) : fits(typeof json === 'number')
    case 'string':
      return fits(typeof json === 'string')
    case 'bytes':
      return fits(isBytes(json), typeof json === 'string' ? Buffer.from(json, 'latin1') : undefined)
    case 'fixed':
      return fits(isBytes(json) && json.length === partsOf(type).size, Buffer.from(String(json), 'latin1'))
    case 'enum':
      return fits(typeof json === 'string' && partsOf(type).symbols.includes(json))
    default:
      return FAULTY
  }
}

function scalarText(type: Type): string {
  const { symbols, size } = partsOf(type)
  switch (shapeOf(type)) {
    case 'enum':
      return `one of ${symbols.join(', ')}`
    case 'bytes':
      return 'bytes, as a text of the characters U+0000 to U+00FF'
    case 'fixed':
      return `${size} bytes, as a text of the characters U+0000 to U+00FF`
    default:
      return nameOf(type)
  }
}

/** Avro 1.12, "JSON Encoding": a character for each byte. */
const isBytes = (json: unknown): json is string => typeof json === 'string' && !/[^\0-\xff]/.test(json)

function branchNamed(types: readonly Type[], json: Readonly<Record<string, unknown>>) {
  const [[name, value] = []] = Object.entries(json)
  const branch = types.find((one) => nameOf(one) === name || one.branchName === name)
  return branch && { branch, json: value }
}

const isMap = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

function show(json: unknown): string {
  if (typeof json === 'bigint') return String(json)
  if (Array.isArray(json)) return 'a list'
  if (isMap(json)) return 'an object'
  return JSON.stringify(json)?.slice(0, 60) ?? 'nothing'
}
