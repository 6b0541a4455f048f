/** ShareGroupHeartbeat, version 1, flexible. KIP-932. */
import type { Api } from './api.ts'
import {
  array,
  int16,
  int32,
  nullable,
  nullableArray,
  nullableString,
  type Of,
  string,
  struct,
  uuid,
} from './codec.ts'

const topicPartitions = struct({ topicId: uuid, partitions: array(int32) })

const request = struct({
  groupId: string,
  memberId: string,
  memberEpoch: int32,
  rackId: nullableString,
  subscribedTopicNames: nullableArray(string),
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  memberId: nullableString,
  memberEpoch: int32,
  heartbeatIntervalMs: int32,
  assignment: nullable(struct({ topicPartitions: array(topicPartitions) })),
})

export const SHARE_GROUP_HEARTBEAT: Api<Of<typeof request>, Of<typeof response>> = {
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: [1, 1],
  flexibleFrom: 0,
  request,
  response,
}
