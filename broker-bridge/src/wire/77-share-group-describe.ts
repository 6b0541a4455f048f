/** ShareGroupDescribe, version 1, flexible. KIP-932. */
import type { Api } from './api.ts'
import { array, bool, int16, int32, nullableString, type Of, since, string, struct, uuid } from './codec.ts'

const topicPartitions = struct({ topicId: uuid, name: string, partitions: array(int32) })

const assignment = struct({ topicPartitions: array(topicPartitions) })

const request = struct({ groupIds: array(string), includeAuthorizedOperations: bool })

const response = struct({
  throttleTimeMs: int32,
  groups: array(
    struct({
      errorCode: int16,
      errorMessage: nullableString,
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      assignorName: string,
      members: array(
        struct({
          memberId: string,
          rackId: nullableString,
          memberEpoch: int32,
          clientId: string,
          clientHost: string,
          subscribedTopicNames: array(string),
          assignment: assignment,
        }),
      ),
      authorizedOperations: since(0, int32, -2147483648),
    }),
  ),
})

export const SHARE_GROUP_DESCRIBE: Api<Of<typeof request>, Of<typeof response>> = {
  key: 77,
  name: 'ShareGroupDescribe',
  versions: [1, 1],
  flexibleFrom: 0,
  request,
  response,
}
