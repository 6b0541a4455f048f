/** AlterShareGroupOffsets, version 0, flexible. KIP-932. */
import type { Api } from './api.ts'
import { array, int16, int32, int64, nullableString, type Of, string, struct, uuid } from './codec.ts'

const request = struct({
  groupId: string,
  topics: array(struct({ name: string, partitions: array(struct({ index: int32, startOffset: int64 })) })),
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  responses: array(
    struct({
      name: string,
      topicId: uuid,
      partitions: array(struct({ index: int32, errorCode: int16, errorMessage: nullableString })),
    }),
  ),
})

export const ALTER_SHARE_GROUP_OFFSETS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
