/** Heartbeat, versions 0 to 4. 1: throttle time · 3: group instance id · 4: flexible. */
import type { Api } from './api.ts'
import { int16, int32, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({
  groupId: string,
  generationId: int32,
  memberId: string,
  groupInstanceId: since(3, nullableString),
})

const response = struct({ throttleTimeMs: since(1, int32), errorCode: int16 })

export const HEARTBEAT: Api<Of<typeof request>, Of<typeof response>> = {
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleFrom: 4,
  request,
  response,
}
