import { DEFAULT_NAMESPACE } from '../defaults.ts'
import { type FaultPath, type LocatedFault, locatedFault, showValue } from '../fault.ts'
import { FORMATS } from '../formats.ts'
import type { GRPCRouteRule, GRPCRouteRuleInput } from '../specs/grpc-route.ts'
import { entries, isMap, type KindDefinition, member } from './definition.ts'
import { ruleFaults } from './route-check.ts'
import {
  atLeastOne,
  completeBackend,
  completeFilter,
  completeMatches,
  completeParents,
  completeSession,
} from './route-complete.ts'
import {
  backendRefs,
  COMMON_FILTERS,
  filters,
  hostnames,
  MAX_MATCHES,
  MAX_RULES,
  parentRefs,
  ruleName,
  sessionPersistence,
  stringMatches,
} from './route-shapes.ts'
import { anyList, list, map, oneOf, resource } from './shapes.ts'

const grpcFilters = filters(COMMON_FILTERS)

const namePart = (description: string) => ({ type: 'string', minLength: 1, maxLength: 1024, description })

const match = map({
  method: map({
    type: { ...oneOf(['Exact', 'RegularExpression'], 'How both are compared.'), default: 'Exact' },
    service: namePart('package.Service; any where absent.'),
    method: namePart('The method; any where absent.'),
  }),
  headers: stringMatches('token', 'field-value', 'All have to match; of two with one name the first counts.'),
})

const rule = map({
  name: ruleName,
  matches: anyList(match, 'One is enough; everything where absent.', MAX_MATCHES),
  filters: grpcFilters,
  backendRefs: backendRefs(grpcFilters),
  sessionPersistence,
})

const spec = map({
  parentRefs,
  hostnames,
  rules: list(rule, 'The most specific match decides, whatever the order.', MAX_RULES),
})

export const grpcRoute: KindDefinition<'GRPCRoute'> = {
  kind: 'GRPCRoute',
  plural: 'grpcroutes',
  schema: resource({ kind: 'GRPCRoute', spec }),
  check: (input) => [...ruleFaults(input), ...methodFaults(input)],
  complete: ({ metadata, spec: given }) => {
    const namespace = metadata.namespace ?? DEFAULT_NAMESPACE
    return {
      parentRefs: completeParents(given.parentRefs, namespace),
      hostnames: given.hostnames ?? [],
      rules: (given.rules ?? [{}]).map((entry) => completeRule(entry, namespace)),
    }
  },
}

function completeRule(given: GRPCRouteRuleInput, namespace: string): GRPCRouteRule {
  return {
    ...(given.name !== undefined && { name: given.name }),
    matches: atLeastOne(given.matches).map(({ method, headers }) => ({
      ...(method !== undefined && { method: { ...method, type: method.type ?? 'Exact' } }),
      headers: completeMatches(headers),
    })),
    filters: (given.filters ?? []).map((entry) => completeFilter(entry, namespace)),
    backendRefs: (given.backendRefs ?? []).map((entry) => ({
      ...completeBackend(entry, namespace),
      filters: (entry.filters ?? []).map((filter) => completeFilter(filter, namespace)),
    })),
    ...(given.sessionPersistence !== undefined && {
      sessionPersistence: completeSession(given.sessionPersistence),
    }),
  }
}

/** A method match names a service or a method, in the form that its type asks for. */
function methodFaults(input: unknown): readonly LocatedFault[] {
  return entries(member(member(input, 'spec'), 'rules')).flatMap(([index, rule]) =>
    entries(member(rule, 'matches')).flatMap(([place, entry]) => {
      const at: FaultPath = ['spec', 'rules', index, 'matches', place, 'method']
      const method = member(entry, 'method')
      if (!isMap(method)) return []
      const format =
        method.type === 'RegularExpression' ? FORMATS['regular-expression'] : FORMATS['grpc-name']
      const given = (['service', 'method'] as const).filter((name) => typeof method[name] === 'string')
      if (given.length === 0)
        return [locatedFault({ at, expected: 'service, method or both', came: 'neither' })]
      return given
        .filter((name) => !format.test(String(method[name])))
        .map((name) =>
          locatedFault({ at: [...at, name], expected: format.expected, came: showValue(method[name]) }),
        )
    }),
  )
}
