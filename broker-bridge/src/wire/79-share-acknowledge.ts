/** ShareAcknowledge, versions 1 to 2, all flexible. KIP-932. 2: renewals (KIP-1222). */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int8,
  int16,
  int32,
  int64,
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
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  acquisitionLockTimeoutMs: since(2, int32),
  responses: array(
    struct({
      topicId: uuid,
      partitions: array(
        struct({
          index: int32,
          errorCode: int16,
          errorMessage: nullableString,
          currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
        }),
      ),
    }),
  ),
  nodeEndpoints: array(struct({ nodeId: int32, host: string, port: int32, rack: nullableString })),
})

export const SHARE_ACKNOWLEDGE: Api<Of<typeof request>, Of<typeof response>> = {
  key: 79,
  name: 'ShareAcknowledge',
  versions: [1, 2],
  flexibleFrom: 0,
  request,
  response,
}
