/** One resource, whatever came: either complete and right, or every fault of it at once. Pure. */
import { Ajv, type ValidateFunction } from 'ajv'
import { DEFAULT_NAMESPACE } from './defaults.ts'
import { explain } from './explain.ts'
import { type Fault, type LocatedFault, locatedFault, publicFault, showValue } from './fault.ts'
import { FORMATS } from './formats.ts'
import { isMap, type KindDefinition } from './kinds/definition.ts'
import { definitionOf, nearestKind } from './kinds/index.ts'
import { API_VERSIONS, apiVersionOf, KINDS, type Resource, type ResourceInput } from './types.ts'

/** A policy of a thousand rules has some ten thousand values; far more is not a resource but an attack on memory. */
const MAX_VALUES = 50_000
/** The deepest path of a schema has 12 members. */
const MAX_DEPTH = 32
/** More than anybody reads; bounds the answer. */
const MAX_FAULTS = 100

const ajv = new Ajv({
  strict: true,
  strictTypes: true,
  allowUnionTypes: true,
  allErrors: true,
  verbose: true,
})
for (const [name, { test }] of Object.entries(FORMATS))
  ajv.addFormat(name, { type: 'string', validate: test })

/** Compiled on first use: a process that reads only snapshots never pays for it. */
const compiled = new Map<KindDefinition, ValidateFunction>()

export type Validated = { readonly resource: Resource } | { readonly faults: readonly Fault[] }

/** Validates and completes. Never throws; the faults hold everything that is wrong, up to a hundred. */
export function validateResource(value: unknown): Validated {
  const checked = checkResource(value)
  return 'resource' in checked ? checked : { faults: checked.faults.map(publicFault) }
}

/** As `validateResource`, with faults that can still be found in a file. */
export function checkResource(
  value: unknown,
): { readonly resource: Resource } | { readonly faults: readonly LocatedFault[] } {
  const oversize = tooLarge(value)
  if (oversize !== undefined) return { faults: [oversize] }
  if (!isMap(value)) return { faults: [locatedFault({ at: [], expected: 'a map', came: showValue(value) })] }
  const definition = definitionOf(value.kind)
  if (definition === undefined) return { faults: headFaults(value) }

  const faults = [...schemaFaults(definition, value), ...definition.check(value)]
  if (faults.length > 0) return { faults: bounded(faults) }
  return { resource: complete(definition, value as unknown as ResourceInput) }
}

function schemaFaults(definition: KindDefinition, value: unknown): readonly LocatedFault[] {
  let validate = compiled.get(definition)
  if (validate === undefined) {
    validate = ajv.compile(definition.schema)
    compiled.set(definition, validate)
  }
  if (validate(value)) return []
  // ajv keeps the errors, and with `verbose` the data, until the next run: a hostile document is let go at once.
  const errors = validate.errors ?? []
  validate.errors = null
  return errors.map(explain).filter((fault) => fault !== undefined)
}

function complete(definition: KindDefinition, input: ResourceInput): Resource {
  const { name, namespace, labels } = input.metadata
  return {
    apiVersion: apiVersionOf(definition.kind),
    kind: definition.kind,
    metadata: { name, namespace: namespace ?? DEFAULT_NAMESPACE, labels: labels ?? {} },
    spec: definition.complete(input),
  } as Resource
}

/** Without a known kind nothing else can be judged. */
function headFaults(value: Readonly<Record<string, unknown>>): readonly LocatedFault[] {
  const faults: LocatedFault[] = []
  if (!API_VERSIONS.some((known) => known === value.apiVersion))
    faults.push(
      locatedFault({
        at: ['apiVersion'],
        expected: API_VERSIONS.map(showValue).join(' or '),
        came: showValue(value.apiVersion),
      }),
    )
  const meant = typeof value.kind === 'string' ? nearestKind(value.kind) : undefined
  faults.push(
    locatedFault({
      at: ['kind'],
      expected: `one of ${KINDS.join(', ')}`,
      came: showValue(value.kind),
      ...(meant !== undefined && { hint: `did you mean ${meant}?` }),
    }),
  )
  return faults
}

function bounded(faults: readonly LocatedFault[]): readonly LocatedFault[] {
  if (faults.length <= MAX_FAULTS) return faults
  const rest = faults.length - MAX_FAULTS
  return [
    ...faults.slice(0, MAX_FAULTS),
    locatedFault({ at: [], expected: `at most ${MAX_FAULTS} faults`, came: `${rest} more, not shown` }),
  ]
}

/**
 * Counts values and depth before anything recursive looks at them, and stops at the limit: what aliases share is
 * counted as often as it stands there, so a bomb or a cycle ends here.
 */
function tooLarge(value: unknown): LocatedFault | undefined {
  let count = 0
  const pending: (readonly [value: unknown, depth: number])[] = [[value, 1]]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [current, depth] = next
    if (typeof current !== 'object' || current === null) continue
    if (depth > MAX_DEPTH)
      return locatedFault({ at: [], expected: `at most ${MAX_DEPTH} levels`, came: 'a deeper resource' })
    const children = Object.values(current)
    count += children.length
    if (count > MAX_VALUES)
      return locatedFault({ at: [], expected: `at most ${MAX_VALUES} values`, came: 'a larger resource' })
    for (const child of children) pending.push([child, depth + 1])
  }
  return undefined
}
