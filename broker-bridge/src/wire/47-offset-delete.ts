/** OffsetDelete, version 0. */
import { type Api, NEVER_FLEXIBLE } from './api.ts'
import { array, int16, int32, type Of, string, struct } from './codec.ts'

const request = struct({
  groupId: string,
  topics: array(struct({ name: string, partitions: array(struct({ index: int32 })) })),
})

const response = struct({
  errorCode: int16,
  throttleTimeMs: int32,
  topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
})

export const OFFSET_DELETE: Api<Of<typeof request>, Of<typeof response>> = {
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  flexibleFrom: NEVER_FLEXIBLE,
  request,
  response,
}
