/** Fills in the defaults that HTTPRoute and GRPCRoute share. */
import {
  type BackendObjectReference,
  type BackendObjectReferenceInput,
  type BackendRef,
  type BackendRefInput,
  GATEWAY_GROUP,
  type HeaderModifier,
  type ParentReference,
  type ParentReferenceInput,
  type RouteFilter,
  type RouteFilterInput,
  type SessionPersistence,
  type SessionPersistenceInput,
  type StringMatch,
  type StringMatchInput,
} from '../specs/route.ts'

/** What the Gateway API says where a fraction has no denominator. */
const DEFAULT_DENOMINATOR = 100

export const completeParents = (
  given: readonly ParentReferenceInput[] | undefined,
  namespace: string,
): readonly ParentReference[] =>
  (given ?? []).map((parent) => ({
    ...parent,
    group: parent.group ?? GATEWAY_GROUP,
    kind: parent.kind ?? 'Gateway',
    namespace: parent.namespace ?? namespace,
  }))

/** A rule without matches has one that says nothing, and so matches everything. */
export const atLeastOne = <T extends object>(
  given: readonly T[] | undefined,
): readonly (T | Record<string, never>)[] => (given === undefined || given.length === 0 ? [{}] : given)

const completeObject = (given: BackendObjectReferenceInput, namespace: string): BackendObjectReference => ({
  group: given.group ?? '',
  kind: given.kind ?? 'Service',
  namespace: given.namespace ?? namespace,
  name: given.name,
  port: given.port,
})

/** All but the filters, which each kind completes itself. */
export const completeBackend = (
  given: BackendRefInput<unknown>,
  namespace: string,
): Omit<BackendRef<never>, 'filters'> => ({
  ...completeObject(given, namespace),
  weight: given.weight ?? 1,
})

export const completeMatches = (given: readonly StringMatchInput[] | undefined): readonly StringMatch[] =>
  (given ?? []).map((entry) => ({ ...entry, type: entry.type ?? 'Exact' }))

const completeModifier = ({ set, add, remove }: Partial<HeaderModifier>): HeaderModifier => ({
  set: set ?? [],
  add: add ?? [],
  remove: remove ?? [],
})

export function completeFilter(given: RouteFilterInput, namespace: string): RouteFilter {
  switch (given.type) {
    case 'RequestHeaderModifier':
      return { type: given.type, requestHeaderModifier: completeModifier(given.requestHeaderModifier) }
    case 'ResponseHeaderModifier':
      return { type: given.type, responseHeaderModifier: completeModifier(given.responseHeaderModifier) }
    case 'RequestMirror': {
      const { backendRef, percent, fraction } = given.requestMirror
      return {
        type: given.type,
        requestMirror: {
          backendRef: completeObject(backendRef, namespace),
          ...(percent !== undefined && { percent }),
          ...(fraction !== undefined && {
            fraction: {
              numerator: fraction.numerator,
              denominator: fraction.denominator ?? DEFAULT_DENOMINATOR,
            },
          }),
        },
      }
    }
  }
}

export function completeSession(given: SessionPersistenceInput): SessionPersistence {
  const { absoluteTimeout, cookie, header } = given
  return {
    type: given.type ?? 'Cookie',
    ...(absoluteTimeout !== undefined && { absoluteTimeout }),
    ...(header === undefined
      ? { cookie: { ...cookie, path: cookie?.path ?? '/', lifetimeType: cookie?.lifetimeType ?? 'Session' } }
      : { header }),
  }
}
