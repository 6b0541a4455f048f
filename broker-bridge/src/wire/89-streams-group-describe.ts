/** StreamsGroupDescribe, version 0, flexible. KIP-1071. */
import type { Api } from './api.ts'
import {
  array,
  bool,
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

const endpoint = struct({ host: string, port: uint16 })

const taskOffset = struct({ subtopologyId: string, partition: int32, offset: int64 })

const taskIds = struct({ subtopologyId: string, partitions: array(int32) })

const assignment = struct({
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
})

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
      topology: nullable(
        struct({
          epoch: int32,
          subtopologies: nullableArray(
            struct({
              subtopologyId: string,
              sourceTopics: array(string),
              repartitionSinkTopics: array(string),
              stateChangelogTopics: array(topicInfo),
              repartitionSourceTopics: array(topicInfo),
            }),
          ),
        }),
      ),
      members: array(
        struct({
          memberId: string,
          memberEpoch: int32,
          instanceId: nullableString,
          rackId: nullableString,
          clientId: string,
          clientHost: string,
          topologyEpoch: int32,
          processId: string,
          userEndpoint: nullable(endpoint),
          clientTags: array(keyValue),
          taskOffsets: array(taskOffset),
          taskEndOffsets: array(taskOffset),
          assignment: assignment,
          targetAssignment: assignment,
          isClassic: bool,
        }),
      ),
      authorizedOperations: since(0, int32, -2147483648),
    }),
  ),
})

export const STREAMS_GROUP_DESCRIBE: Api<Of<typeof request>, Of<typeof response>> = {
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
