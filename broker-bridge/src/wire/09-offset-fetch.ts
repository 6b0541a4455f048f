/**
 * OffsetFetch, versions 1 to 10. 2: null topics mean all, top-level error · 3: throttle time · 5: leader epoch ·
 * 6: flexible · 7: require stable · 8: several groups · 9: KIP-848 members ·
 * 10: topic ids in place of names.
 */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int16,
  int32,
  int64,
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

/** Null: every topic of the group. */
const askedTopics = nullableArray(
  struct({ name: until(9, string), topicId: since(10, uuid), partitionIndexes: array(int32) }),
)

const request = struct({
  groupId: until(7, string),
  topics: until(7, askedTopics),
  groups: since(
    8,
    array(
      struct({
        groupId: string,
        memberId: since(9, nullableString),
        memberEpoch: since(9, int32, -1),
        topics: askedTopics,
      }),
    ),
  ),
  requireStable: since(7, bool),
})

const foundTopics = array(
  struct({
    name: until(9, string),
    topicId: since(10, uuid),
    partitions: array(
      struct({
        index: int32,
        committedOffset: int64,
        committedLeaderEpoch: since(5, int32, NO_EPOCH),
        metadata: nullableString,
        errorCode: int16,
      }),
    ),
  }),
)

const response = struct({
  throttleTimeMs: since(3, int32),
  topics: until(7, foundTopics),
  errorCode: until(7, since(2, int16)),
  groups: since(8, array(struct({ groupId: string, topics: foundTopics, errorCode: int16 }))),
})

export const OFFSET_FETCH: Api<Of<typeof request>, Of<typeof response>> = {
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexibleFrom: 6,
  request,
  response,
}
