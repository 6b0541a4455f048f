/** SaslHandshake, versions 0 to 1. 1: SaslAuthenticate follows. */
import { type Api, NEVER_FLEXIBLE } from './api.ts'
import { array, int16, type Of, string, struct } from './codec.ts'

const request = struct({ mechanism: string })

const response = struct({ errorCode: int16, mechanisms: array(string) })

export const SASL_HANDSHAKE: Api<Of<typeof request>, Of<typeof response>> = {
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  flexibleFrom: NEVER_FLEXIBLE,
  request,
  response,
}
