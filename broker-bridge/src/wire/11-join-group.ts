/**
 * JoinGroup, versions 0 to 9. 1: rebalance timeout · 2: throttle time · 4: the member id is given first, then used ·
 * 5: group instance id · 6: flexible · 7: protocol type in the answer · 8: reason · 9: the leader may skip the assignment.
 */
import type { Api } from './api.ts'
import { array, bool, bytes, int16, int32, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({
  groupId: string,
  sessionTimeoutMs: int32,
  rebalanceTimeoutMs: since(1, int32, -1),
  memberId: string,
  groupInstanceId: since(5, nullableString),
  protocolType: string,
  protocols: array(struct({ name: string, metadata: bytes })),
  reason: since(8, nullableString),
})

const response = struct({
  throttleTimeMs: since(2, int32),
  errorCode: int16,
  generationId: int32,
  protocolType: since(7, nullableString),
  protocolName: nullableString,
  leader: string,
  skipAssignment: since(9, bool),
  memberId: string,
  members: array(struct({ memberId: string, groupInstanceId: since(5, nullableString), metadata: bytes })),
})

export const JOIN_GROUP: Api<Of<typeof request>, Of<typeof response>> = {
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleFrom: 6,
  request,
  response,
}
