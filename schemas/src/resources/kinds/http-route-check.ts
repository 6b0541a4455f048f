/** What a JSON Schema cannot say of an HTTPRoute alone. */
import { gatewayDurationMs } from '../../gateway-duration.ts'
import { normalisePath } from '../../policy/path.ts'
import { type FaultPath, type LocatedFault, locatedFault, showValue } from '../fault.ts'
import { FORMATS } from '../formats.ts'
import { entries, member } from './definition.ts'

/** Paths are matched in their normal form, so one that is written otherwise would match nothing. */
export function pathFaults(path: unknown, at: FaultPath): readonly LocatedFault[] {
  const value = member(path, 'value')
  const type = member(path, 'type') ?? 'PathPrefix'
  if (typeof value !== 'string') return []
  const wrong = (expected: string) => [
    locatedFault({ at: [...at, 'value'], expected, came: showValue(value) }),
  ]
  if (type === 'RegularExpression') {
    const { test, expected } = FORMATS['regular-expression']
    return test(value) ? [] : wrong(expected)
  }
  return normalisePath(value) === value && FORMATS['uri-path'].test(value) ? [] : wrong(FORMATS.path.expected)
}

/** Filters that go against each other, and a prefix that is replaced where none was matched. */
export function rewriteFaults(rule: unknown, at: FaultPath): readonly LocatedFault[] {
  const backends = entries(member(rule, 'backendRefs'))
  const groups: (readonly [filters: unknown, at: FaultPath])[] = [
    [member(rule, 'filters'), [...at, 'filters']],
    ...backends.map(
      ([index, backend]) => [member(backend, 'filters'), [...at, 'backendRefs', index, 'filters']] as const,
    ),
  ]
  return groups.flatMap(([filters, place]) => {
    const list = entries(filters)
    const faults = list.flatMap(([index, filter]) => modifierFaults(rule, filter, [...place, index]))
    const redirect = list.find(([, filter]) => member(filter, 'type') === 'RequestRedirect')
    const clash = list.find(([, filter]) => member(filter, 'type') === 'URLRewrite')
    const isAnswered = redirect !== undefined && backends.length > 0
    if (redirect !== undefined && (clash !== undefined || isAnswered))
      faults.push(
        locatedFault({
          at: [...place, redirect[0]],
          expected: `RequestRedirect without ${clash === undefined ? 'backendRefs' : 'URLRewrite'}`,
          came: 'both',
        }),
      )
    return faults
  })
}

function modifierFaults(rule: unknown, filter: unknown, at: FaultPath): readonly LocatedFault[] {
  return (['urlRewrite', 'requestRedirect'] as const).flatMap((name) => {
    const path = member(member(filter, name), 'path')
    const type = member(path, 'type')
    if (path === undefined || typeof type !== 'string') return []
    const here = [...at, name, 'path']
    const wanted = type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch'
    const other = type === 'ReplaceFullPath' ? 'replacePrefixMatch' : 'replaceFullPath'
    const faults: LocatedFault[] = []
    if (member(path, wanted) === undefined || member(path, other) !== undefined)
      faults.push(
        locatedFault({
          at: here,
          expected: `${wanted} alone, because the type is ${type}`,
          came: showValue(path),
        }),
      )
    if (type === 'ReplacePrefixMatch' && !matchesOnePrefix(rule))
      faults.push(
        locatedFault({
          at: [...here, 'type'],
          expected: 'exactly one match of the rule, a PathPrefix, to replace',
          came: 'another rule',
        }),
      )
    return faults
  })
}

function matchesOnePrefix(rule: unknown): boolean {
  // A rule without a match has the default one, the prefix "/".
  const [match, ...more] = entries(member(rule, 'matches'))
  const type = member(member(match?.[1], 'path'), 'type') ?? 'PathPrefix'
  return more.length === 0 && type === 'PathPrefix'
}

/** One attempt cannot take longer than all of them. */
export function timeoutFaults(timeouts: unknown, at: FaultPath): readonly LocatedFault[] {
  const requestMs = gatewayDurationMs(member(timeouts, 'request'))
  const backendMs = gatewayDurationMs(member(timeouts, 'backendRequest'))
  if (requestMs === undefined || backendMs === undefined || requestMs === 0 || backendMs <= requestMs)
    return []
  return [
    locatedFault({
      at: [...at, 'backendRequest'],
      expected: 'at most timeouts.request',
      came: `${backendMs} ms of ${requestMs} ms`,
    }),
  ]
}

/** A code that stands twice is a slip, most probably for another one. */
export function retryFaults(rule: unknown, at: FaultPath): readonly LocatedFault[] {
  const codes = member(member(rule, 'retry'), 'codes')
  if (!Array.isArray(codes) || new Set(codes).size === codes.length) return []
  return [
    locatedFault({
      at: [...at, 'retry', 'codes'],
      expected: 'each code once',
      came: codes.map(showValue).join(', ').slice(0, 80),
    }),
  ]
}
