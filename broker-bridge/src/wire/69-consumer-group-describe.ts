/** ConsumerGroupDescribe, versions 0 to 1, all flexible. 1: member type (KIP-1099). */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int8,
  int16,
  int32,
  nullableString,
  type Of,
  since,
  string,
  struct,
  uuid,
} from './codec.ts'

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
          instanceId: nullableString,
          rackId: nullableString,
          memberEpoch: int32,
          clientId: string,
          clientHost: string,
          subscribedTopicNames: array(string),
          subscribedTopicRegex: nullableString,
          assignment: assignment,
          targetAssignment: assignment,
          memberType: since(1, int8, -1),
        }),
      ),
      authorizedOperations: since(0, int32, -2147483648),
    }),
  ),
})

export const CONSUMER_GROUP_DESCRIBE: Api<Of<typeof request>, Of<typeof response>> = {
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: [0, 1],
  flexibleFrom: 0,
  request,
  response,
}
