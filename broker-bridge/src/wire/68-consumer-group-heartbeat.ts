/**
 * ConsumerGroupHeartbeat, versions 0 to 1, all flexible. The group protocol of KIP-848. 1: subscription by regular
 * expression, member ids made by members (KIP-1082).
 */
import type { Api } from './api.ts'
import {
  array,
  int16,
  int32,
  nullable,
  nullableArray,
  nullableString,
  type Of,
  since,
  string,
  struct,
  uuid,
} from './codec.ts'

const topicPartitions = struct({ topicId: uuid, partitions: array(int32) })

const request = struct({
  groupId: string,
  memberId: string,
  memberEpoch: int32,
  instanceId: nullableString,
  rackId: nullableString,
  rebalanceTimeoutMs: since(0, int32, -1),
  subscribedTopicNames: nullableArray(string),
  subscribedTopicRegex: since(1, nullableString),
  serverAssignor: nullableString,
  topicPartitions: nullableArray(struct({ topicId: uuid, partitions: array(int32) })),
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

export const CONSUMER_GROUP_HEARTBEAT: Api<Of<typeof request>, Of<typeof response>> = {
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexibleFrom: 0,
  request,
  response,
}
