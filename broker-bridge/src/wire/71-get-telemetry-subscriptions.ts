/** GetTelemetrySubscriptions, version 0, flexible. KIP-714. */
import type { Api } from './api.ts'
import { array, bool, int8, int16, int32, type Of, string, struct, uuid } from './codec.ts'

const request = struct({ clientInstanceId: uuid })

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  clientInstanceId: uuid,
  subscriptionId: int32,
  acceptedCompressionTypes: array(int8),
  pushIntervalMs: int32,
  telemetryMaxBytes: int32,
  deltaTemporality: bool,
  requestedMetrics: array(string),
})

export const GET_TELEMETRY_SUBSCRIPTIONS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 71,
  name: 'GetTelemetrySubscriptions',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
