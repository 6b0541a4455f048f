/** The end user of a question: `--jwt accounts --claim role=admin`. */
import type { ProvenToken } from '@weft/schemas/policy'
import { usageError } from '../errors.ts'

export interface TokenOptions {
  readonly jwt?: string
  readonly claim?: readonly string[]
}

/** The token that the options describe; undefined where there is none. A claim that is named twice has both values. */
export function parseToken({ jwt, claim = [] }: TokenOptions, namespace: string): ProvenToken | undefined {
  if (jwt === undefined) {
    if (claim.length > 0) throw usageError('whose claims? Name the JwtProvider with --jwt')
    return undefined
  }
  const claims: Record<string, string[]> = {}
  for (const text of claim) {
    const at = text.indexOf('=')
    if (at < 1) throw usageError(`--claim: expected name=value, came ${JSON.stringify(text)}`)
    const name = text.slice(0, at)
    claims[name] = [...(Object.hasOwn(claims, name) ? (claims[name] ?? []) : []), text.slice(at + 1)]
  }
  return { providers: [jwt.includes('/') ? jwt : `${namespace}/${jwt}`], claims }
}
