import { MeshError } from '@weft/schemas/error'
import type { Fields } from '../transport/exchange.ts'

const SCHEME = /^bearer(?: +|$)/i
/** RFC 6750, section 2.1: b64token. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/

/**
 * The token in `Authorization: Bearer` (RFC 6750); undefined where there is none of this scheme. Throws `invalid_token` for
 * what is none, and for a second Authorization field: the app could read the other one.
 */
export function bearerToken(fields: Fields): string | undefined {
  let token: string | undefined
  let count = 0
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== 'authorization') continue
    count++
    const value = fields[at + 1] as string
    if (SCHEME.test(value)) token = value.replace(SCHEME, '')
  }
  if (token === undefined) return undefined
  if (count > 1) throw new MeshError('invalid_token', 'expected one Authorization; several came')
  if (!TOKEN.test(token)) throw new MeshError('invalid_token', 'expected a token after Bearer')
  return token
}
