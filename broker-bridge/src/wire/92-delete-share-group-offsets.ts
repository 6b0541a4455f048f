/** DeleteShareGroupOffsets, version 0, flexible. KIP-932. */
import type { Api } from './api.ts'
import { array, int16, int32, nullableString, type Of, string, struct, uuid } from './codec.ts'

const request = struct({ groupId: string, topics: array(struct({ name: string })) })

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  responses: array(struct({ name: string, topicId: uuid, errorCode: int16, errorMessage: nullableString })),
})

export const DELETE_SHARE_GROUP_OFFSETS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
