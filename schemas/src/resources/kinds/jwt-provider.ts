import { JWT_ALGORITHMS } from '../../snapshot-jwt.ts'
import {
  DEFAULT_JWKS_MAX_STALE_MS,
  DEFAULT_JWKS_REFRESH_MS,
  DEFAULT_JWT_ALGORITHMS,
  DEFAULT_JWT_CLOCK_SKEW_MS,
  DEFAULT_JWT_MAX_TOKEN_BYTES,
} from '../defaults.ts'
import { type LocatedFault, locatedFault } from '../fault.ts'
import { entries, isMap, type KindDefinition, member } from './definition.ts'
import { exactlyOne, list, map, oneOf, resource, text, wholeNumber } from './shapes.ts'

/** Hundreds of keys; more is a mistake. The snapshot carries it to every sidecar whose policies name the provider. */
const MAX_INLINE_CHARACTERS = 65_536
const MAX_TOKEN_BYTES = 32_768
const MAX_CLOCK_SKEW_MS = 300_000
const MIN_REFRESH_MS = 10_000
const MAX_AGE_MS = 30 * 86_400_000

const shortText = (description: string) => ({ type: 'string', minLength: 1, maxLength: 1024, description })

const spec = map(
  {
    issuer: shortText('The claim iss, letter by letter.'),
    audiences: list(
      shortText('An audience.'),
      'A token must name one of them as aud: those for others are refused.',
      64,
    ),
    jwks: exactlyOne({
      uri: text('jwks-uri', 'Where the issuer publishes its keys.'),
      inline: {
        type: 'string',
        maxLength: MAX_INLINE_CHARACTERS,
        description: 'The keys themselves, as JSON: {"keys": [...]}.',
      },
      file: shortText('A file of the host of the sidecar; read again as a URI is fetched again.'),
    }),
    algorithms: {
      ...list(
        oneOf(JWT_ALGORITHMS, 'A signature algorithm.'),
        'Signatures that are accepted.',
        JWT_ALGORITHMS.length,
      ),
      default: DEFAULT_JWT_ALGORITHMS,
    },
    clockSkewMs: {
      ...wholeNumber(
        0,
        MAX_CLOCK_SKEW_MS,
        'By how much the clocks of issuer and sidecar may differ (exp, nbf).',
      ),
      default: DEFAULT_JWT_CLOCK_SKEW_MS,
    },
    maxTokenBytes: {
      ...wholeNumber(256, MAX_TOKEN_BYTES, 'Longer tokens are refused unread.'),
      default: DEFAULT_JWT_MAX_TOKEN_BYTES,
    },
    refreshMs: {
      ...wholeNumber(
        MIN_REFRESH_MS,
        MAX_AGE_MS,
        'Age from which keys are fetched again; old ones hold until that works.',
      ),
      default: DEFAULT_JWKS_REFRESH_MS,
    },
    maxStaleMs: {
      ...wholeNumber(
        MIN_REFRESH_MS,
        MAX_AGE_MS,
        'Age from which keys that could not be fetched again hold no longer.',
      ),
      default: DEFAULT_JWKS_MAX_STALE_MS,
    },
  },
  ['issuer', 'audiences', 'jwks'],
)

export const jwtProvider: KindDefinition<'JwtProvider'> = {
  kind: 'JwtProvider',
  plural: 'jwtproviders',
  schema: resource({ kind: 'JwtProvider', spec }),
  check: (input) => [
    ...inlineFaults(member(member(member(input, 'spec'), 'jwks'), 'inline')),
    ...ageFaults(member(input, 'spec')),
  ],
  complete: ({ spec: given }) => ({
    issuer: given.issuer,
    audiences: given.audiences,
    jwks: given.jwks,
    algorithms: given.algorithms ?? DEFAULT_JWT_ALGORITHMS,
    clockSkewMs: given.clockSkewMs ?? DEFAULT_JWT_CLOCK_SKEW_MS,
    maxTokenBytes: given.maxTokenBytes ?? DEFAULT_JWT_MAX_TOKEN_BYTES,
    refreshMs: given.refreshMs ?? DEFAULT_JWKS_REFRESH_MS,
    maxStaleMs: given.maxStaleMs ?? DEFAULT_JWKS_MAX_STALE_MS,
  }),
}

const INLINE = ['spec', 'jwks', 'inline']

function inlineFaults(inline: unknown): readonly LocatedFault[] {
  if (typeof inline !== 'string' || inline.length > MAX_INLINE_CHARACTERS) return []
  const keys = member(parsed(inline), 'keys')
  if (!Array.isArray(keys) || keys.length === 0)
    return [
      locatedFault({
        at: INLINE,
        expected: 'a JSON Web Key Set: {"keys": [...]} with a key',
        came: 'something else',
      }),
    ]
  return entries(keys).flatMap(([index, key]) => keyFaults(key, index))
}

/** A private or shared key has no business in a resource: who can read it could sign tokens. */
function keyFaults(key: unknown, index: number): readonly LocatedFault[] {
  const name = `keys[${index}]`
  if (!isMap(key) || typeof key.kty !== 'string')
    return [locatedFault({ at: INLINE, expected: `a key with a kty as ${name}`, came: 'something else' })]
  if (key.kty !== 'oct' && !Object.hasOwn(key, 'd')) return []
  return [locatedFault({ at: INLINE, expected: `a public key as ${name}`, came: 'a secret one' })]
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function ageFaults(spec: unknown): readonly LocatedFault[] {
  const refresh = member(spec, 'refreshMs') ?? DEFAULT_JWKS_REFRESH_MS
  const stale = member(spec, 'maxStaleMs') ?? DEFAULT_JWKS_MAX_STALE_MS
  if (typeof refresh !== 'number' || typeof stale !== 'number' || refresh <= stale) return []
  const key = member(spec, 'maxStaleMs') === undefined ? 'refreshMs' : 'maxStaleMs'
  return [
    locatedFault({
      at: ['spec', key],
      expected: 'refreshMs at most maxStaleMs',
      came: `${refresh} and ${stale}`,
    }),
  ]
}
