/** ShareFetch, versions 1 to 2, all flexible. KIP-932. 2: acquire mode, renewals (KIP-1206, KIP-1222). */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int8,
  int16,
  int32,
  int64,
  nullableBytes,
  nullableString,
  type Of,
  since,
  string,
  struct,
  uuid,
} from './codec.ts'

const request = struct({
  groupId: nullableString,
  memberId: nullableString,
  shareSessionEpoch: int32,
  maxWaitMs: int32,
  minBytes: int32,
  maxBytes: since(0, int32, 2147483647),
  maxRecords: int32,
  batchSize: int32,
  shareAcquireMode: since(2, int8),
  isRenewAck: since(2, bool),
  topics: array(
    struct({
      topicId: uuid,
      partitions: array(
        struct({
          index: int32,
          acknowledgementBatches: array(
            struct({ firstOffset: int64, lastOffset: int64, acknowledgeTypes: array(int8) }),
          ),
        }),
      ),
    }),
  ),
  forgottenTopicsData: array(struct({ topicId: uuid, partitions: array(int32) })),
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  acquisitionLockTimeoutMs: int32,
  responses: array(
    struct({
      topicId: uuid,
      partitions: array(
        struct({
          index: int32,
          errorCode: int16,
          errorMessage: nullableString,
          acknowledgeErrorCode: int16,
          acknowledgeErrorMessage: nullableString,
          currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
          records: nullableBytes,
          acquiredRecords: array(struct({ firstOffset: int64, lastOffset: int64, deliveryCount: int16 })),
        }),
      ),
    }),
  ),
  nodeEndpoints: array(struct({ nodeId: int32, host: string, port: int32, rack: nullableString })),
})

export const SHARE_FETCH: Api<Of<typeof request>, Of<typeof response>> = {
  key: 78,
  name: 'ShareFetch',
  versions: [1, 2],
  flexibleFrom: 0,
  request,
  response,
}
