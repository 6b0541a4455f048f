import type { JwtProviderEntry } from '../../snapshot-jwt.ts'

/** An issuer of tokens of end users, and how its signatures are checked. Durations in milliseconds. */
export type JwtProviderSpec = Omit<JwtProviderEntry, 'name' | 'namespace'>

export type JwtProviderSpecInput = Pick<JwtProviderSpec, 'issuer' | 'audiences' | 'jwks'> &
  Partial<JwtProviderSpec>
