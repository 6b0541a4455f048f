/** UnregisterBroker, version 0, flexible. */
import type { Api } from './api.ts'
import { int16, int32, nullableString, type Of, struct } from './codec.ts'

const request = struct({ brokerId: int32 })

const response = struct({ throttleTimeMs: int32, errorCode: int16, errorMessage: nullableString })

export const UNREGISTER_BROKER: Api<Of<typeof request>, Of<typeof response>> = {
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
