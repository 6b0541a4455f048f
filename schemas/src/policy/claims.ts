/** Does a verified token say what a rule asks for? */
import { matchesGlob } from './glob.ts'
import type { JwtMatch, ProvenToken } from './types.ts'

/** `namespace` is that of the policy: in it the provider's name is looked up. Without a token nothing matches. */
export function tokenMatches(match: JwtMatch, namespace: string, token: ProvenToken | undefined): boolean {
  if (token === undefined || !token.providers.includes(`${namespace}/${match.provider}`)) return false
  if (match.claims === undefined) return true
  return Object.entries(match.claims).every(([name, patterns]) =>
    textsOf(name, claimNamed(token.claims, name)).some((text) =>
      patterns.some((pattern) => matchesGlob(pattern, text)),
    ),
  )
}

/** A claim of this very name; else the dots lead into nested objects, as in `realm_access.roles`. */
function claimNamed(claims: ProvenToken['claims'], name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let value: unknown = claims
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[part]
  }
  return value
}

/** RFC 8693, section 4.2: scopes are one text with spaces between them. */
const SPACED: ReadonlySet<string> = new Set(['scope', 'scp'])

function textsOf(name: string, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((entry: unknown) => scalar(entry))
  if (typeof value === 'string' && SPACED.has(name)) return value.split(' ')
  return scalar(value)
}

const scalar = (value: unknown): readonly string[] =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : []
