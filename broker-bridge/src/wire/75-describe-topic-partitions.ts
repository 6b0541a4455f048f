/** DescribeTopicPartitions, version 0, flexible. KIP-966. */
import type { Api } from './api.ts'
import {
  array,
  bool,
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

const request = struct({
  topics: array(struct({ name: string })),
  responsePartitionLimit: since(0, int32, 2000),
  cursor: nullable(struct({ name: string, index: int32 })),
})

const response = struct({
  throttleTimeMs: int32,
  topics: array(
    struct({
      errorCode: int16,
      name: nullableString,
      topicId: uuid,
      isInternal: bool,
      partitions: array(
        struct({
          errorCode: int16,
          index: int32,
          leaderId: int32,
          leaderEpoch: since(0, int32, -1),
          replicaNodes: array(int32),
          isrNodes: array(int32),
          eligibleLeaderReplicas: nullableArray(int32),
          lastKnownElr: nullableArray(int32),
          offlineReplicas: array(int32),
        }),
      ),
      topicAuthorizedOperations: since(0, int32, -2147483648),
    }),
  ),
  nextCursor: nullable(struct({ name: string, index: int32 })),
})

export const DESCRIBE_TOPIC_PARTITIONS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
