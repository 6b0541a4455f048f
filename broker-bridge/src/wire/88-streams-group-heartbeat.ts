/** StreamsGroupHeartbeat, version 0, flexible. KIP-1071. */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int8,
  int16,
  int32,
  int64,
  nullable,
  nullableArray,
  nullableString,
  type Of,
  since,
  string,
  struct,
  uint16,
} from './codec.ts'

const keyValue = struct({ key: string, value: string })

const topicInfo = struct({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
})

const taskIds = struct({ subtopologyId: string, partitions: array(int32) })

const endpoint = struct({ host: string, port: uint16 })

const taskOffset = struct({ subtopologyId: string, partition: int32, offset: int64 })

const status = struct({ statusCode: int8, statusDetail: string })

const topicPartition = struct({ name: string, partitions: array(int32) })

const request = struct({
  groupId: string,
  memberId: string,
  memberEpoch: int32,
  endpointInformationEpoch: int32,
  instanceId: nullableString,
  rackId: nullableString,
  rebalanceTimeoutMs: since(0, int32, -1),
  topology: nullable(
    struct({
      epoch: int32,
      subtopologies: array(
        struct({
          subtopologyId: string,
          sourceTopics: array(string),
          sourceTopicRegex: array(string),
          stateChangelogTopics: array(topicInfo),
          repartitionSinkTopics: array(string),
          repartitionSourceTopics: array(topicInfo),
          copartitionGroups: array(
            struct({
              sourceTopics: array(int16),
              sourceTopicRegex: array(int16),
              repartitionSourceTopics: array(int16),
            }),
          ),
        }),
      ),
    }),
  ),
  activeTasks: nullableArray(taskIds),
  standbyTasks: nullableArray(taskIds),
  warmupTasks: nullableArray(taskIds),
  processId: nullableString,
  userEndpoint: nullable(endpoint),
  clientTags: nullableArray(keyValue),
  taskOffsets: nullableArray(taskOffset),
  taskEndOffsets: nullableArray(taskOffset),
  shutdownApplication: bool,
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  memberId: string,
  memberEpoch: int32,
  heartbeatIntervalMs: int32,
  acceptableRecoveryLag: int32,
  taskOffsetIntervalMs: int32,
  status: nullableArray(status),
  activeTasks: nullableArray(taskIds),
  standbyTasks: nullableArray(taskIds),
  warmupTasks: nullableArray(taskIds),
  endpointInformationEpoch: int32,
  partitionsByUserEndpoint: nullableArray(
    struct({
      userEndpoint: endpoint,
      activePartitions: array(topicPartition),
      standbyPartitions: array(topicPartition),
    }),
  ),
})

export const STREAMS_GROUP_HEARTBEAT: Api<Of<typeof request>, Of<typeof response>> = {
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
