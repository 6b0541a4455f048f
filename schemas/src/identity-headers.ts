/** Header names that say who called. Only the sidecar writes them: a caller's, and a route's, are refused or taken out. */

/** The header in which Envoy and Istio tell an app who called, and in which apps expect it. */
export const CLIENT_CERTIFICATE = 'x-forwarded-client-cert'

const IDENTITY_NAMES: ReadonlySet<string> = new Set([
  CLIENT_CERTIFICATE,
  'client-cert', // RFC 9440
  'client-cert-chain',
  'x-client-cert',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-user',
  'x-remote-user',
  'x-remote-groups',
])
const IDENTITY_PREFIXES = ['x-weft-', 'x-ssl-client-', 'ssl-client-', 'x-spiffe-'] as const

/** `name` is in lower case. Spellings with `_` count too: CGI-like servers cannot tell them from `-`. */
export function isIdentityHeader(name: string): boolean {
  const first = name.charCodeAt(0)
  if (first !== X && first !== S && first !== C) return false
  const spelled = name.includes('_') ? name.replaceAll('_', '-') : name
  return IDENTITY_NAMES.has(spelled) || IDENTITY_PREFIXES.some((prefix) => spelled.startsWith(prefix))
}

const X = 120
const S = 115
const C = 99
