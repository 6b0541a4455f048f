import { DEFAULT_NAMESPACE } from '../defaults.ts'
import type { FaultPath, LocatedFault } from '../fault.ts'
import type {
  HTTPRouteFilter,
  HTTPRouteFilterInput,
  HTTPRouteMatchInput,
  HTTPRouteRule,
  HTTPRouteRuleInput,
} from '../specs/http-route.ts'
import { entries, type KindDefinition, member } from './definition.ts'
import { pathFaults, retryFaults, rewriteFaults, timeoutFaults } from './http-route-check.ts'
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
import { anyList, list, map, oneOf, port, resource, text, wholeNumber } from './shapes.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const
/** A rule that names no match matches everything. */
const ANY_PATH = { type: 'PathPrefix', value: '/' } as const
/** The Gateway API's own: nothing is promised for ever. */
const DEFAULT_REDIRECT_STATUS = 302
/** The Gateway API's own, and that of browsers which are told nothing. */
const DEFAULT_CORS_MAX_AGE_SECONDS = 5
/** Enough for any outage that a caller waits for; more would be a loop. */
const MAX_ATTEMPTS = 100

const pathModifier = map(
  {
    type: oneOf(['ReplaceFullPath', 'ReplacePrefixMatch'], 'What is replaced.'),
    replaceFullPath: text('uri-path', 'The new path.'),
    replacePrefixMatch: text('prefix-replacement', 'What stands for the prefix that matched.'),
  },
  ['type'],
)

const httpFilters = filters({
  ...COMMON_FILTERS,
  requestRedirect: map({
    scheme: oneOf(['http', 'https'], 'That of the request where absent.'),
    hostname: text('dns-hostname', 'That of the request where absent.'),
    path: pathModifier,
    port: port('That of the scheme, or of the request, where absent.'),
    statusCode: {
      type: 'integer',
      enum: [301, 302, 303, 307, 308],
      description: 'Status of the answer.',
      default: DEFAULT_REDIRECT_STATUS,
    },
  }),
  urlRewrite: {
    ...map({ hostname: text('dns-hostname', 'The new Host.'), path: pathModifier }),
    minProperties: 1,
  },
  cors: map({
    allowOrigins: anyList(text('origin', 'An origin.'), 'Who may read the answer; nobody where absent.', 64),
    allowMethods: anyList(oneOf([...METHODS, '*'], 'A method.'), 'Beside GET, HEAD and POST.', 9),
    allowHeaders: anyList(text('token', 'A header, or "*".'), 'Of the request.', 64),
    exposeHeaders: anyList(text('token', 'A header, or "*".'), 'Of the answer.', 64),
    allowCredentials: {
      type: 'boolean',
      description: 'May cookies and certificates go along?',
      default: false,
    },
    maxAge: {
      ...wholeNumber(1, 2_147_483_647, 'Seconds for which a browser keeps the answer to its preflight.'),
      default: DEFAULT_CORS_MAX_AGE_SECONDS,
    },
  }),
})

const match = map({
  path: map({
    type: {
      ...oneOf(
        ['Exact', 'PathPrefix', 'RegularExpression'],
        'PathPrefix goes by whole elements: /a is no prefix of /ab.',
      ),
      default: ANY_PATH.type,
    },
    value: {
      type: 'string',
      maxLength: 1024,
      description: 'The path.',
      default: ANY_PATH.value,
    },
  }),
  headers: stringMatches('token', 'field-value', 'All have to match; of two with one name the first counts.'),
  queryParams: stringMatches(
    'query-name',
    'query-value',
    'All have to match; of two with one name the first counts.',
  ),
  method: oneOf(METHODS, 'Any where absent.'),
})

const rule = map({
  name: ruleName,
  matches: anyList(match, 'One is enough; everything where absent.', MAX_MATCHES),
  filters: httpFilters,
  backendRefs: backendRefs(httpFilters),
  timeouts: map({
    request: text('gateway-duration', 'For the answer to begin, all attempts together; 0s is no limit.'),
    backendRequest: text('gateway-duration', 'For one attempt.'),
  }),
  retry: map({
    codes: anyList(
      wholeNumber(400, 599, 'A status.'),
      'Answers that are tried again, whatever the method.',
      64,
    ),
    attempts: wholeNumber(1, MAX_ATTEMPTS, 'Attempts after the first.'),
    backoff: text('gateway-duration', 'The least pause before the second attempt; grows.'),
  }),
  sessionPersistence,
})

const spec = map({
  parentRefs,
  hostnames,
  rules: list(rule, 'The most specific match decides, whatever the order.', MAX_RULES),
})

export const httpRoute: KindDefinition<'HTTPRoute'> = {
  kind: 'HTTPRoute',
  plural: 'httproutes',
  schema: resource({ kind: 'HTTPRoute', spec }),
  check: (input) => [...ruleFaults(input), ...httpFaults(input)],
  complete: ({ metadata, spec: given }) => {
    const namespace = metadata.namespace ?? DEFAULT_NAMESPACE
    return {
      parentRefs: completeParents(given.parentRefs, namespace),
      hostnames: given.hostnames ?? [],
      rules: (given.rules ?? [{}]).map((entry) => completeRule(entry, namespace)),
    }
  },
}

function httpFaults(input: unknown): readonly LocatedFault[] {
  return entries(member(member(input, 'spec'), 'rules')).flatMap(([index, rule]) => {
    const at: FaultPath = ['spec', 'rules', index]
    return [
      ...entries(member(rule, 'matches')).flatMap(([place, entry]) =>
        pathFaults(member(entry, 'path'), [...at, 'matches', place, 'path']),
      ),
      ...rewriteFaults(rule, at),
      ...timeoutFaults(member(rule, 'timeouts'), [...at, 'timeouts']),
      ...retryFaults(rule, at),
    ]
  })
}

function completeRule(given: HTTPRouteRuleInput, namespace: string): HTTPRouteRule {
  const filter = (entry: HTTPRouteFilterInput): HTTPRouteFilter => completeHttpFilter(entry, namespace)
  return {
    ...(given.name !== undefined && { name: given.name }),
    matches: atLeastOne(given.matches).map(completeMatch),
    filters: (given.filters ?? []).map(filter),
    backendRefs: (given.backendRefs ?? []).map((entry) => ({
      ...completeBackend(entry, namespace),
      filters: (entry.filters ?? []).map(filter),
    })),
    ...(given.timeouts !== undefined && { timeouts: given.timeouts }),
    ...(given.retry !== undefined && { retry: { ...given.retry, codes: given.retry.codes ?? [] } }),
    ...(given.sessionPersistence !== undefined && {
      sessionPersistence: completeSession(given.sessionPersistence),
    }),
  }
}

const completeMatch = (given: HTTPRouteMatchInput): HTTPRouteRule['matches'][number] => ({
  path: { ...ANY_PATH, ...given.path },
  headers: completeMatches(given.headers),
  queryParams: completeMatches(given.queryParams),
  ...(given.method !== undefined && { method: given.method }),
})

function completeHttpFilter(given: HTTPRouteFilterInput, namespace: string): HTTPRouteFilter {
  switch (given.type) {
    case 'RequestRedirect':
      return {
        type: given.type,
        requestRedirect: {
          ...given.requestRedirect,
          statusCode: given.requestRedirect.statusCode ?? DEFAULT_REDIRECT_STATUS,
        },
      }
    case 'URLRewrite':
      return given
    case 'CORS':
      return {
        type: given.type,
        cors: {
          allowOrigins: given.cors.allowOrigins ?? [],
          allowMethods: given.cors.allowMethods ?? [],
          allowHeaders: given.cors.allowHeaders ?? [],
          exposeHeaders: given.cors.exposeHeaders ?? [],
          allowCredentials: given.cors.allowCredentials ?? false,
          maxAge: given.cors.maxAge ?? DEFAULT_CORS_MAX_AGE_SECONDS,
        },
      }
    default:
      return completeFilter(given, namespace)
  }
}
