/** RenewDelegationToken, versions 1 to 2. 2: flexible. */
import type { Api } from './api.ts'
import { bytes, int16, int32, int64, type Of, struct } from './codec.ts'

const request = struct({ hmac: bytes, renewPeriodMs: int64 })

const response = struct({ errorCode: int16, expiryTimestampMs: int64, throttleTimeMs: int32 })

export const RENEW_DELEGATION_TOKEN: Api<Of<typeof request>, Of<typeof response>> = {
  key: 39,
  name: 'RenewDelegationToken',
  versions: [1, 2],
  flexibleFrom: 2,
  request,
  response,
}
