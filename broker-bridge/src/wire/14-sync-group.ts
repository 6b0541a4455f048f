/** SyncGroup, versions 0 to 5. 1: throttle time · 3: group instance id · 4: flexible · 5: protocol type and name. */
import type { Api } from './api.ts'
import { array, bytes, int16, int32, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({
  groupId: string,
  generationId: int32,
  memberId: string,
  groupInstanceId: since(3, nullableString),
  protocolType: since(5, nullableString),
  protocolName: since(5, nullableString),
  assignments: array(struct({ memberId: string, assignment: bytes })),
})

const response = struct({
  throttleTimeMs: since(1, int32),
  errorCode: int16,
  protocolType: since(5, nullableString),
  protocolName: since(5, nullableString),
  assignment: bytes,
})

export const SYNC_GROUP: Api<Of<typeof request>, Of<typeof response>> = {
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleFrom: 4,
  request,
  response,
}
