import { closed, EXACTLY_ONE, listOf, matching, object, oneOf, text, whole } from './snapshot-checks.ts'
import { JWT_ALGORITHMS } from './snapshot-jwt.ts'

export const JWT_PROVIDER = object({
  name: text,
  namespace: text,
  issuer: text,
  audiences: listOf(text, 1),
  jwks: closed(
    {},
    { uri: matching('an http or https URL', /^https?:\/\//), inline: text, file: text },
    EXACTLY_ONE,
  ),
  algorithms: listOf(oneOf(...JWT_ALGORITHMS), 1),
  clockSkewMs: whole(0),
  maxTokenBytes: whole(1),
  refreshMs: whole(1),
  maxStaleMs: whole(1),
})
