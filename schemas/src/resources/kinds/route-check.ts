/** What a JSON Schema cannot say of the rules of HTTPRoute and GRPCRoute; most of it are the Gateway API's own CEL rules. */
import { type FaultPath, type LocatedFault, locatedFault, showValue } from '../fault.ts'
import { FORMATS } from '../formats.ts'
import { GATEWAY_GROUP } from '../specs/route.ts'
import { entries, isMap, member } from './definition.ts'
import { filterType } from './route-shapes.ts'

/** The Gateway API's own limit over all rules of a route. */
const MAX_ALL_MATCHES = 128
/** Several mirrors may stand side by side; of anything else the second would silently win or lose. */
const REPEATABLE = 'RequestMirror'

/** The faults of parents, names, matches, filters and sessions. */
export function ruleFaults(input: unknown): readonly LocatedFault[] {
  const spec = member(input, 'spec')
  const rules = entries(member(spec, 'rules'))
  const faults = parentFaults(spec)
  const names = new Set<unknown>()
  let matchCount = 0
  for (const [index, rule] of rules) {
    const at: FaultPath = ['spec', 'rules', index]
    const name = member(rule, 'name')
    if (name !== undefined && names.has(name))
      faults.push(fault([...at, 'name'], 'each name once', `${showValue(name)} again`))
    names.add(name)
    const matches = entries(member(rule, 'matches'))
    matchCount += matches.length
    for (const [place, match] of matches) {
      faults.push(...valueFaults(member(match, 'headers'), [...at, 'matches', place, 'headers']))
      faults.push(...valueFaults(member(match, 'queryParams'), [...at, 'matches', place, 'queryParams']))
    }
    faults.push(...filterFaults(member(rule, 'filters'), [...at, 'filters']))
    for (const [place, backend] of entries(member(rule, 'backendRefs')))
      faults.push(...filterFaults(member(backend, 'filters'), [...at, 'backendRefs', place, 'filters']))
    faults.push(...sessionFaults(member(rule, 'sessionPersistence'), [...at, 'sessionPersistence']))
  }
  if (matchCount > MAX_ALL_MATCHES)
    faults.push(fault(['spec', 'rules'], `at most ${MAX_ALL_MATCHES} matches together`, `${matchCount}`))
  return faults
}

const fault = (at: FaultPath, expected: string, came: string): LocatedFault =>
  locatedFault({ at, expected, came })

/** `kind: Service` without `group: ""` is the commonest slip: the default group is that of Gateways. */
function parentFaults(spec: unknown): LocatedFault[] {
  return entries(member(spec, 'parentRefs')).flatMap(([index, parent]) => {
    const kind = member(parent, 'kind') ?? 'Gateway'
    const group = member(parent, 'group') ?? GATEWAY_GROUP
    if ((kind === 'Service') === (group === '') || typeof kind !== 'string' || typeof group !== 'string')
      return []
    const expected = `${showValue(kind === 'Service' ? '' : GATEWAY_GROUP)}, because the kind is ${kind}`
    return [fault(['spec', 'parentRefs', index, 'group'], expected, showValue(group))]
  })
}

function valueFaults(matches: unknown, at: FaultPath): readonly LocatedFault[] {
  const format = FORMATS['regular-expression']
  return entries(matches).flatMap(([index, match]) => {
    const value = member(match, 'value')
    if (member(match, 'type') !== 'RegularExpression' || typeof value !== 'string' || format.test(value))
      return []
    return [fault([...at, index, 'value'], format.expected, showValue(value))]
  })
}

function filterFaults(filters: unknown, at: FaultPath): readonly LocatedFault[] {
  const seen = new Set<string>()
  return entries(filters).flatMap(([index, filter]) => {
    const type = member(filter, 'type')
    if (!isMap(filter) || typeof type !== 'string') return []
    const faults: LocatedFault[] = []
    const here = [...at, index]
    if (seen.has(type) && type !== REPEATABLE)
      faults.push(fault([...here, 'type'], 'each filter once', `${showValue(type)} again`))
    seen.add(type)
    const others = Object.keys(filter).filter((name) => name !== 'type')
    const own = others.filter((name) => filterType(name) === type)
    if (own.length === 0) faults.push(fault(here, `the settings of ${type} beside its type`, 'none'))
    for (const name of others.filter((other) => !own.includes(other)))
      faults.push(
        locatedFault({
          at: [...here, name],
          expected: `nothing but ${type}`,
          came: `the key ${showValue(name)}`,
          onKey: true,
        }),
      )
    const mirror = member(filter, 'requestMirror')
    if (member(mirror, 'percent') !== undefined && member(mirror, 'fraction') !== undefined)
      faults.push(fault([...here, 'requestMirror'], 'percent or fraction', 'both'))
    return [...faults, ...fractionFaults(member(mirror, 'fraction'), [...here, 'requestMirror', 'fraction'])]
  })
}

function fractionFaults(fraction: unknown, at: FaultPath): readonly LocatedFault[] {
  const numerator = member(fraction, 'numerator')
  const denominator = member(fraction, 'denominator') ?? 100
  if (typeof numerator !== 'number' || typeof denominator !== 'number' || numerator <= denominator) return []
  return [fault(at, 'a numerator of at most the denominator', `${numerator} of ${denominator}`)]
}

function sessionFaults(session: unknown, at: FaultPath): readonly LocatedFault[] {
  if (!isMap(session)) return []
  const type = session.type ?? 'Cookie'
  const faults: LocatedFault[] = []
  if (type === 'Header' && session.header === undefined)
    faults.push(fault([...at, 'header'], 'the name of the header, because the type is Header', 'nothing'))
  for (const [name, owner] of [
    ['cookie', 'Cookie'],
    ['header', 'Header'],
  ] as const)
    if (session[name] !== undefined && type !== owner)
      faults.push(fault([...at, name], `${name} only with the type ${owner}`, showValue(type)))
  if (member(session.cookie, 'lifetimeType') === 'Permanent' && session.absoluteTimeout === undefined)
    faults.push(fault([...at, 'absoluteTimeout'], 'a lifetime, because the cookie is Permanent', 'nothing'))
  return faults
}
