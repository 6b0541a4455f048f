/** DescribeShareGroupOffsets, versions 0 to 1, all flexible. KIP-932. 1: lag (KIP-1226). */
import type { Api } from './api.ts'
import {
  array,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  type Of,
  since,
  string,
  struct,
  uuid,
} from './codec.ts'

const request = struct({
  groups: array(
    struct({ groupId: string, topics: nullableArray(struct({ name: string, partitions: array(int32) })) }),
  ),
})

const response = struct({
  throttleTimeMs: int32,
  groups: array(
    struct({
      groupId: string,
      topics: array(
        struct({
          name: string,
          topicId: uuid,
          partitions: array(
            struct({
              index: int32,
              startOffset: int64,
              leaderEpoch: int32,
              lag: since(1, int64, -1n),
              errorCode: int16,
              errorMessage: nullableString,
            }),
          ),
        }),
      ),
      errorCode: int16,
      errorMessage: nullableString,
    }),
  ),
})

export const DESCRIBE_SHARE_GROUP_OFFSETS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: [0, 1],
  flexibleFrom: 0,
  request,
  response,
}
