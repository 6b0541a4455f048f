/** One JwtProvider: judges tokens by its keys and its expectations (RFC 7519, section 7.2; RFC 8725). */
import { MeshError } from '@weft/schemas/error'
import type { JwtProviderEntry } from '@weft/schemas/snapshot'
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { Keys } from './jwks.ts'
import type { KeySet } from './key-set.ts'

export class Provider {
  readonly name: string
  readonly entry: JwtProviderEntry
  readonly #keys: KeySet
  readonly #expected: JWTVerifyOptions

  constructor(entry: JwtProviderEntry, keys: KeySet) {
    this.name = `${entry.namespace}/${entry.name}`
    this.entry = entry
    this.#keys = keys
    this.#expected = {
      issuer: entry.issuer,
      audience: [...entry.audiences],
      algorithms: [...entry.algorithms],
      clockTolerance: entry.clockSkewMs / 1000,
      // Without an end a token could not be forgotten, by its issuer or by us.
      requiredClaims: ['exp'],
    }
  }

  /** The claims. Rejects with `invalid_token`, or with `unavailable` where there is no key to judge by. */
  async verify(token: string): Promise<JWTPayload> {
    if (token.length > this.entry.maxTokenBytes)
      throw new MeshError('invalid_token', `expected a token of at most ${this.entry.maxTokenBytes} bytes`)
    try {
      return await this.#verifyWith(token, await this.#keys.current())
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw refusal(error)
    }
    try {
      return await this.#verifyWith(token, await this.#keys.renewed())
    } catch (error) {
      throw refusal(error)
    }
  }

  async #verifyWith(token: string, keys: Keys): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, keys, this.#expected)).payload
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      return await this.#verifyWithAny(token, error)
    }
  }

  /** A token without a key id may be signed by any of several keys. */
  async #verifyWithAny(token: string, keys: errors.JWKSMultipleMatchingKeys): Promise<JWTPayload> {
    for await (const key of keys) {
      try {
        return (await jwtVerify(token, key, this.#expected)).payload
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** Says what is wrong with a token in words of ours: what jose says may quote the token. */
function refusal(error: unknown): MeshError {
  return error instanceof MeshError
    ? error
    : new MeshError('invalid_token', `expected another token: ${reasonOf(error)}`, { cause: error })
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired'
  if (error instanceof errors.JWTClaimValidationFailed)
    return CLAIM_REASONS[error.claim] ?? 'a claim does not hold'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature does not match'
  if (error instanceof errors.JWKSNoMatchingKey) return 'its key is none of the issuer'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not accepted here'
  return 'it is malformed'
}

const CLAIM_REASONS: Readonly<Record<string, string>> = {
  aud: 'it is meant for others (aud)',
  exp: 'it says no end (exp)',
  nbf: 'it is not valid yet (nbf)',
  iss: 'its issuer is another one (iss)',
}
