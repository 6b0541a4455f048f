/** ExpireDelegationToken, versions 1 to 2. 2: flexible. */
import type { Api } from './api.ts'
import { bytes, int16, int32, int64, type Of, struct } from './codec.ts'

const request = struct({ hmac: bytes, expiryTimePeriodMs: int64 })

const response = struct({ errorCode: int16, expiryTimestampMs: int64, throttleTimeMs: int32 })

export const EXPIRE_DELEGATION_TOKEN: Api<Of<typeof request>, Of<typeof response>> = {
  key: 40,
  name: 'ExpireDelegationToken',
  versions: [1, 2],
  flexibleFrom: 2,
  request,
  response,
}
