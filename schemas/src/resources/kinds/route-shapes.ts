/** JSON Schema fragments of HTTPRoute and GRPCRoute. The limits are those of the Gateway API's own schema. */
import type { FormatName } from '../formats.ts'
import { GATEWAY_GROUP } from '../specs/route.ts'
import type { JsonSchema } from './definition.ts'
import { anyList, map, oneOf, port, text, wholeNumber } from './shapes.ts'

const MAX_PARENTS = 32
export const MAX_RULES = 16
export const MAX_MATCHES = 64
const MAX_ENTRIES = 16
/** The Gateway API's own: weights are shares of their sum, which must stay exact. */
const MAX_WEIGHT = 1_000_000

const namespace = text('dns-label', 'That of the route where absent.')

export const parentRefs = anyList(
  map(
    {
      group: {
        ...oneOf(['', GATEWAY_GROUP], '"" for a Service.'),
        default: GATEWAY_GROUP,
      },
      kind: { ...oneOf(['Service', 'Gateway'], 'What the route attaches to.'), default: 'Gateway' },
      namespace,
      name: text('dns-name', 'Its name.'),
      sectionName: text('dns-label', 'One port of the Service, or one listener of the Gateway, by name.'),
      port: port('One port of it; all where absent.'),
    },
    ['name'],
  ),
  'What the route attaches to: Services (their callers follow it) and Gateways.',
  MAX_PARENTS,
)

export const hostnames = anyList(
  text('hostname-pattern', 'A host that callers ask a Gateway for.'),
  'Any where absent. Of no effect below a Service, as GEP-1294 says.',
  MAX_ENTRIES,
)

const backendObject = {
  group: { ...oneOf([''], 'The core group.'), default: '' },
  kind: { ...oneOf(['Service'], 'What answers.'), default: 'Service' },
  namespace,
  name: text('dns-label', 'Its name.'),
  port: port('A port of it.'),
}

/** With `filters` those of one backend. */
export const backendRefs = (filters: JsonSchema): JsonSchema =>
  anyList(
    map(
      {
        ...backendObject,
        weight: {
          ...wholeNumber(0, MAX_WEIGHT, 'Its share is this over the sum of all.'),
          default: 1,
        },
        filters,
      },
      ['name', 'port'],
    ),
    'Who answers, by weight.',
    MAX_ENTRIES,
  )

export const ruleName = text('dns-label', 'For people; unique in the route.')

/** A list of header or query matches. */
export const stringMatches = (name: FormatName, value: FormatName, description: string): JsonSchema =>
  anyList(
    map(
      {
        type: { ...oneOf(['Exact', 'RegularExpression'], 'How the value is compared.'), default: 'Exact' },
        name: text(name, 'Its name.'),
        value: text(value, 'The whole value, or a regular expression for it.'),
      },
      ['name', 'value'],
    ),
    description,
    MAX_ENTRIES,
  )

const headerValues = (description: string): JsonSchema =>
  anyList(
    map(
      {
        name: text('settable-header-name', 'The header.'),
        value: text('field-value', 'Its value.'),
      },
      ['name', 'value'],
    ),
    description,
    MAX_ENTRIES,
  )

const headerModifier = (): JsonSchema => ({
  ...map({
    set: headerValues('Replaces what is there.'),
    add: headerValues('Stands beside what is there.'),
    remove: anyList(text('settable-header-name', 'The header.'), 'Takes away.', MAX_ENTRIES),
  }),
  minProperties: 1,
})

/** Members of a filter of both kinds, by the name of the filter. */
export const COMMON_FILTERS = {
  requestHeaderModifier: headerModifier(),
  responseHeaderModifier: headerModifier(),
  requestMirror: map(
    {
      backendRef: map(backendObject, ['name', 'port']),
      percent: wholeNumber(0, 100, 'Of the requests; all where neither this nor `fraction` is given.'),
      fraction: map(
        {
          numerator: wholeNumber(0, 2_147_483_647, 'So many'),
          denominator: { ...wholeNumber(1, 2_147_483_647, 'of so many requests.'), default: 100 },
        },
        ['numerator'],
      ),
    },
    ['backendRef'],
  ),
} as const

/** Filters by the members that each may have. `type` says which member is there. */
export const filters = (members: Readonly<Record<string, JsonSchema>>): JsonSchema =>
  anyList(
    map({ type: oneOf(Object.keys(members).map(filterType), 'Which filter.'), ...members }, ['type']),
    'What is done to a request that matches, and to its answer.',
    MAX_ENTRIES,
  )

/** `urlRewrite` → `URLRewrite`: the name of the filter whose settings are in this member. */
export const filterType = (member: string): string =>
  FILTER_TYPES[member] ?? `${member.slice(0, 1).toUpperCase()}${member.slice(1)}`

const FILTER_TYPES: Readonly<Record<string, string>> = { urlRewrite: 'URLRewrite', cors: 'CORS' }

export const sessionPersistence = map({
  absoluteTimeout: text('gateway-duration', 'After this long a session ends, and another one begins.'),
  type: { ...oneOf(['Cookie', 'Header'], 'What carries the session.'), default: 'Cookie' },
  cookie: map({
    name: text('token', 'One is made of the names of route and rule where absent.'),
    path: { ...text('uri-path', 'Where the cookie is sent.'), default: '/' },
    lifetimeType: {
      ...oneOf(
        ['Session', 'Permanent'],
        'Permanent: it survives the end of the browser; needs absoluteTimeout.',
      ),
      default: 'Session',
    },
  }),
  header: map({ name: text('settable-header-name', 'The header.') }, ['name']),
})
