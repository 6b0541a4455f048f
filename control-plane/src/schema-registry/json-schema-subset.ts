/**
 * Whether a JSON Schema takes everything that another describes. In general nobody can tell; here what cannot be shown is a fault,
 * so that no incompatible schema gets in: a keyword that is not understood has to be the same in both.
 */
import { isDeepStrictEqual } from 'node:util'
import type { JsonSchema } from '@weft/schemas/event-schema'
import { arrayFaults, numberFaults, objectFaults, textFaults } from './json-schema-keywords.ts'
import {
  ANNOTATIONS,
  type At,
  isEmpty,
  MAX_DEPTH,
  type Part,
  pathOf,
  resolved,
  typesOf,
  valuesOf,
} from './json-schema-part.ts'

const MAX_FAULTS = 20
/** Alternatives within alternatives are tried one by one: what takes more than so many comparisons is not shown. */
const MAX_COMPARISONS = 20_000

/** Why not everything that is valid by `writer` is valid by `reader`; empty where it is shown to be. At most 20. */
export function jsonSchemaFaults(reader: JsonSchema, writer: JsonSchema): readonly string[] {
  const comparison = new Comparison({ reader, writer }, { left: MAX_COMPARISONS })
  comparison.compare(reader, writer, [])
  return comparison.faults.slice(0, MAX_FAULTS)
}

interface Roots {
  readonly reader: JsonSchema
  readonly writer: JsonSchema
}

class Comparison {
  readonly faults: string[] = []
  readonly #roots: Roots
  readonly #haveSameDefinitions: boolean
  readonly #budget: { left: number }
  /** Pairs that are, or were, compared: each is right if everything else is. */
  readonly #seen = new Map<JsonSchema, Set<JsonSchema>>()

  constructor(roots: Roots, budget: { left: number }) {
    this.#roots = roots
    this.#budget = budget
    const [reader, writer] = [definitionsOf(roots.reader), definitionsOf(roots.writer)]
    this.#haveSameDefinitions = isDeepStrictEqual(reader, writer)
  }

  /** True of parts that say the same, references within them too. */
  readonly areSame = (a: unknown, b: unknown): boolean =>
    isDeepStrictEqual(a, b) && (this.#haveSameDefinitions || !JSON.stringify(a ?? null).includes('"$ref"'))

  readonly compare = (readerPart: JsonSchema, writerPart: JsonSchema, at: At): void => {
    if (this.faults.length >= MAX_FAULTS) return
    const [r, w] = [resolved(readerPart, this.#roots.reader), resolved(writerPart, this.#roots.writer)]
    if (r === undefined || w === undefined) {
      this.faults.push(`${pathOf(at)}: expected references to parts of the schema itself`)
    } else if (at.length > MAX_DEPTH || --this.#budget.left < 0) {
      this.faults.push(`${pathOf(at)}: is too deep or has too many alternatives to be compared`)
    } else if (!this.#wasSeen(r, w)) {
      this.#compare(r, w, at)
    }
  }

  #wasSeen(r: JsonSchema, w: JsonSchema): boolean {
    if (typeof r === 'boolean' || typeof w === 'boolean') return false
    const partners = this.#seen.get(r) ?? new Set()
    this.#seen.set(r, partners)
    if (partners.has(w)) return true
    partners.add(w)
    return false
  }

  #compare(reader: JsonSchema, writer: JsonSchema, at: At): void {
    if (writer === false || isEmpty(reader)) return
    if (typeof reader === 'boolean') {
      this.faults.push(`${pathOf(at)}: was allowed, and is not any more`)
      return
    }
    const w = writer === true ? {} : writer
    if (this.#eachAlternative(reader, w, at)) return
    if (Array.isArray(reader.anyOf) && !this.areSame(reader.anyOf, w.anyOf)) {
      this.#anyAlternative(reader, w, at)
      return
    }
    this.faults.push(
      ...typeFaults(reader, w, at),
      ...valueFaults(reader, w, at),
      ...numberFaults(reader, w, at),
      ...textFaults(reader, w, at),
      ...arrayFaults(reader, w, at, this),
      ...objectFaults(reader, w, at, this),
      ...otherFaults(reader, w, at, this),
    )
  }

  /** What the writer says beside its alternatives holds for each of them. */
  #eachAlternative(reader: Part, writer: Part, at: At): boolean {
    for (const union of ['anyOf', 'oneOf']) {
      const { [union]: branches, ...rest } = writer
      if (!Array.isArray(branches) || this.areSame(reader[union], branches)) continue
      for (const branch of branches as JsonSchema[]) {
        const target = resolved(branch, this.#roots.writer) ?? true
        this.compare(reader, typeof target === 'boolean' ? target && rest : { ...rest, ...target }, [
          ...at,
          union,
        ])
      }
      return true
    }
    return false
  }

  #anyAlternative({ anyOf, ...rest }: Part, writer: Part, at: At): void {
    const takesAll = (anyOf as JsonSchema[]).some((branch) => {
      const attempt = new Comparison(this.#roots, this.#budget)
      attempt.compare(branch, writer, at)
      return attempt.faults.length === 0
    })
    if (!takesAll) this.faults.push(`${pathOf(at)}.anyOf: no alternative takes all of it`)
    this.compare(rest, writer, at)
  }
}

function typeFaults(r: Part, w: Part, at: At): readonly string[] {
  if (r.type === undefined) return []
  const taken = typesOf({ type: r.type })
  const missing = [...typesOf(w)].filter((name) => !taken.has(name))
  if (missing.length === 0) return []
  return [`${pathOf(at)}: expected ${[...taken].join(' or ')}, may be ${missing.join(' or ')}`]
}

function valueFaults(r: Part, w: Part, at: At): readonly string[] {
  const taken = valuesOf(r)
  if (taken === undefined) return []
  const missing = valuesOf(w)?.filter((value) => !taken.some((one) => isDeepStrictEqual(one, value)))
  if (missing?.length === 0) return []
  const others = missing?.map((value) => JSON.stringify(value)).join(', ') ?? 'anything else'
  return [`${pathOf(at)}: expected one of ${JSON.stringify(taken)}, may be ${others}`]
}

/** Compared one by one. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  ...['type', 'enum', 'const', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...[
    'minLength',
    'maxLength',
    'items',
    'minItems',
    'maxItems',
    'uniqueItems',
    'properties',
    'additionalProperties',
  ],
  ...['required', 'minProperties', 'maxProperties'],
])

/** Speak of what others have left over: only the same where all is. */
const OF_THE_WHOLE: ReadonlySet<string> = new Set(['unevaluatedProperties', 'unevaluatedItems'])
const OF_CONTAINS = ['minContains', 'maxContains']

function otherFaults(r: Part, w: Part, at: At, { areSame }: Pick<Comparison, 'areSame'>): readonly string[] {
  const isSame = (name: string): boolean => {
    if (OF_THE_WHOLE.has(name)) return areSame(r, w)
    if (name === 'contains' && !OF_CONTAINS.every((limit) => areSame(r[limit], w[limit]))) return false
    return areSame(r[name], w[name])
  }
  return Object.keys(r)
    .filter((name) => !UNDERSTOOD.has(name) && !ANNOTATIONS.has(name) && !isSame(name))
    .map((name) => `${pathOf(at)}.${name}: is not the same, and cannot be shown to take all that it took`)
}

const definitionsOf = (root: JsonSchema): unknown =>
  typeof root === 'boolean' ? [] : [root.definitions, root.$defs]
