/**
 * ListOffsets, versions 1 to 11. 1: one offset and its timestamp · 2: isolation level, throttle time ·
 * 4: leader epoch · 6: flexible · 7: by largest timestamp · 8, 9, 11: offsets of tiered storage · 10: timeout.
 */
import type { Api } from './api.ts'
import { array, int8, int16, int32, int64, type Of, since, string, struct } from './codec.ts'
import { NO_EPOCH, NO_OFFSET } from './error-codes.ts'

const request = struct({
  replicaId: int32,
  isolationLevel: since(2, int8),
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({ index: int32, currentLeaderEpoch: since(4, int32, NO_EPOCH), timestamp: int64 }),
      ),
    }),
  ),
  timeoutMs: since(10, int32),
})

const response = struct({
  throttleTimeMs: since(2, int32),
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          index: int32,
          errorCode: int16,
          timestamp: since(1, int64, NO_OFFSET),
          offset: since(1, int64, NO_OFFSET),
          leaderEpoch: since(4, int32, NO_EPOCH),
        }),
      ),
    }),
  ),
})

export const LIST_OFFSETS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexibleFrom: 6,
  request,
  response,
}
