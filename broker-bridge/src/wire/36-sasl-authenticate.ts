/** SaslAuthenticate, versions 0 to 2. 1: session lifetime · 2: flexible. */
import type { Api } from './api.ts'
import { bytes, int16, int64, nullableString, type Of, since, struct } from './codec.ts'

const request = struct({ authBytes: bytes })

const response = struct({
  errorCode: int16,
  errorMessage: nullableString,
  authBytes: bytes,
  sessionLifetimeMs: since(1, int64),
})

export const SASL_AUTHENTICATE: Api<Of<typeof request>, Of<typeof response>> = {
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexibleFrom: 2,
  request,
  response,
}
