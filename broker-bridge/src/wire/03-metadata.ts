/**
 * Metadata, versions 4 to 13. 4: allowAutoTopicCreation · 5: offline replicas · 7: leader epoch · 8: authorized
 * operations · 9: flexible · 10: topic ids · 11: no more cluster operations · 12: topics by id · 13: top-level error.
 *
 * Versions 0 to 3 cannot say that a topic must not be created by asking for it, so they are not offered: clients
 * have spoken version 4 since 2017. The fields that they share are kept in the table.
 */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int16,
  int32,
  nullableArray,
  nullableString,
  type Of,
  since,
  string,
  struct,
  until,
  uuid,
} from './codec.ts'
import { NO_EPOCH } from './error-codes.ts'

/** `authorizedOperations` of an answer to a request that did not ask for them. */
export const OPERATIONS_NOT_ASKED = -(2 ** 31)

const request = struct({
  /** Null: all topics. */
  topics: nullableArray(struct({ topicId: since(10, uuid), name: nullableString })),
  allowAutoTopicCreation: since(4, bool, true),
  includeClusterAuthorizedOperations: until(10, since(8, bool)),
  includeTopicAuthorizedOperations: since(8, bool),
})

const response = struct({
  throttleTimeMs: since(3, int32),
  brokers: array(struct({ nodeId: int32, host: string, port: int32, rack: since(1, nullableString) })),
  clusterId: since(2, nullableString),
  controllerId: since(1, int32, -1),
  topics: array(
    struct({
      errorCode: int16,
      /** Null: a topic that was asked for by id, and that is not there. */
      name: nullableString,
      topicId: since(10, uuid),
      isInternal: since(1, bool),
      partitions: array(
        struct({
          errorCode: int16,
          index: int32,
          leaderId: int32,
          leaderEpoch: since(7, int32, NO_EPOCH),
          replicaNodes: array(int32),
          isrNodes: array(int32),
          offlineReplicas: since(5, array(int32)),
        }),
      ),
      authorizedOperations: since(8, int32, OPERATIONS_NOT_ASKED),
    }),
  ),
  clusterAuthorizedOperations: until(10, since(8, int32, OPERATIONS_NOT_ASKED)),
  errorCode: since(13, int16),
})

export const METADATA: Api<Of<typeof request>, Of<typeof response>> = {
  key: 3,
  name: 'Metadata',
  versions: [4, 13],
  flexibleFrom: 9,
  request,
  response,
}
