/**
 * OffsetCommit, versions 2 to 10. 2: retention time · 3: throttle time · 5: no retention time · 6: leader epoch ·
 * 7: group instance id · 8: flexible · 9: KIP-848 members ·
 * 10: topic ids in place of names.
 */
import type { Api } from './api.ts'
import {
  array,
  int16,
  int32,
  int64,
  nullableString,
  type Of,
  since,
  string,
  struct,
  until,
  uuid,
} from './codec.ts'
import { NO_EPOCH, NO_OFFSET } from './error-codes.ts'

const request = struct({
  groupId: string,
  generationIdOrMemberEpoch: since(1, int32, -1),
  memberId: since(1, string),
  groupInstanceId: since(7, nullableString),
  retentionTimeMs: until(4, since(2, int64, NO_OFFSET)),
  topics: array(
    struct({
      name: until(9, string),
      topicId: since(10, uuid),
      partitions: array(
        struct({
          index: int32,
          committedOffset: int64,
          committedLeaderEpoch: since(6, int32, NO_EPOCH),
          committedMetadata: nullableString,
        }),
      ),
    }),
  ),
})

const response = struct({
  throttleTimeMs: since(3, int32),
  topics: array(
    struct({
      name: until(9, string),
      topicId: since(10, uuid),
      partitions: array(struct({ index: int32, errorCode: int16 })),
    }),
  ),
})

export const OFFSET_COMMIT: Api<Of<typeof request>, Of<typeof response>> = {
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexibleFrom: 8,
  request,
  response,
}
