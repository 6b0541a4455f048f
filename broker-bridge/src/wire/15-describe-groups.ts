/**
 * DescribeGroups, versions 0 to 6. 1: throttle time · 3: authorized operations · 4: group instance id · 5: flexible ·
 * 6: GROUP_ID_NOT_FOUND with a message.
 */

import { OPERATIONS_NOT_ASKED } from './03-metadata.ts'
import type { Api } from './api.ts'
import { array, bool, bytes, int16, int32, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({ groups: array(string), includeAuthorizedOperations: since(3, bool) })

const response = struct({
  throttleTimeMs: since(1, int32),
  groups: array(
    struct({
      errorCode: int16,
      errorMessage: since(6, nullableString),
      groupId: string,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: array(
        struct({
          memberId: string,
          groupInstanceId: since(4, nullableString),
          clientId: string,
          clientHost: string,
          memberMetadata: bytes,
          memberAssignment: bytes,
        }),
      ),
      authorizedOperations: since(3, int32, OPERATIONS_NOT_ASKED),
    }),
  ),
})

export const DESCRIBE_GROUPS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexibleFrom: 5,
  request,
  response,
}
