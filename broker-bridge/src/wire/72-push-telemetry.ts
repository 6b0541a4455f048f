/** PushTelemetry, version 0, flexible. KIP-714. */
import type { Api } from './api.ts'
import { bool, bytes, int8, int16, int32, type Of, struct, uuid } from './codec.ts'

const request = struct({
  clientInstanceId: uuid,
  subscriptionId: int32,
  terminating: bool,
  compressionType: int8,
  metrics: bytes,
})

const response = struct({ throttleTimeMs: int32, errorCode: int16 })

export const PUSH_TELEMETRY: Api<Of<typeof request>, Of<typeof response>> = {
  key: 72,
  name: 'PushTelemetry',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
