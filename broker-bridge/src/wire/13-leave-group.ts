/** LeaveGroup, versions 0 to 5. 1: throttle time · 3: several members, group instance ids · 4: flexible · 5: reason. */
import type { Api } from './api.ts'
import { array, int16, int32, nullableString, type Of, since, string, struct, until } from './codec.ts'

const request = struct({
  groupId: string,
  memberId: until(2, string),
  members: since(
    3,
    array(struct({ memberId: string, groupInstanceId: nullableString, reason: since(5, nullableString) })),
  ),
})

const response = struct({
  throttleTimeMs: since(1, int32),
  errorCode: int16,
  members: since(3, array(struct({ memberId: string, groupInstanceId: nullableString, errorCode: int16 }))),
})

export const LEAVE_GROUP: Api<Of<typeof request>, Of<typeof response>> = {
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleFrom: 4,
  request,
  response,
}
