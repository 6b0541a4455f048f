/** OffsetForLeaderEpoch, versions 2 to 4. 2: current leader epoch, throttle time · 3: replica id · 4: flexible. */
import type { Api } from './api.ts'
import { array, int16, int32, int64, type Of, since, string, struct } from './codec.ts'
import { NO_EPOCH, NO_OFFSET } from './error-codes.ts'

/** A consumer that does not say what it is. */
const DEBUGGING_REPLICA = -2

const request = struct({
  replicaId: since(3, int32, DEBUGGING_REPLICA),
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({ index: int32, currentLeaderEpoch: since(2, int32, NO_EPOCH), leaderEpoch: int32 }),
      ),
    }),
  ),
})

const response = struct({
  throttleTimeMs: since(2, int32),
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          errorCode: int16,
          index: int32,
          leaderEpoch: since(1, int32, NO_EPOCH),
          endOffset: since(0, int64, NO_OFFSET),
        }),
      ),
    }),
  ),
})

export const OFFSET_FOR_LEADER_EPOCH: Api<Of<typeof request>, Of<typeof response>> = {
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleFrom: 4,
  request,
  response,
}
