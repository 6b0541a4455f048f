/** The part of a snapshot that says whose tokens the requests of end users may carry, and with which keys these are checked. */

/** Signatures that only the issuer can make (RFC 7518, section 3.1; RFC 8037). `none` and shared secrets are not among them. */
export const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number]

/** Where a JSON Web Key Set (RFC 7517) comes from. `file` is one of the host of the sidecar, and is read again like a URI. */
export type JwksSource = { readonly uri: string } | { readonly inline: string } | { readonly file: string }

/** A JwtProvider, complete. Durations in milliseconds. */
export interface JwtProviderEntry {
  readonly name: string
  readonly namespace: string
  readonly issuer: string
  /** A token has to be meant for one of them. */
  readonly audiences: readonly string[]
  readonly jwks: JwksSource
  readonly algorithms: readonly JwtAlgorithm[]
  readonly clockSkewMs: number
  readonly maxTokenBytes: number
  /** Age from which keys are fetched again; the old ones hold until that has worked. */
  readonly refreshMs: number
  /** Age from which keys that could not be fetched again are believed no longer. */
  readonly maxStaleMs: number
}
