/** DeleteRecords, versions 0 to 2. 2: flexible. */
import type { Api } from './api.ts'
import { array, int16, int32, int64, type Of, string, struct } from './codec.ts'

const request = struct({
  topics: array(struct({ name: string, partitions: array(struct({ index: int32, offset: int64 })) })),
  timeoutMs: int32,
})

const response = struct({
  throttleTimeMs: int32,
  topics: array(
    struct({
      name: string,
      partitions: array(struct({ index: int32, lowWatermark: int64, errorCode: int16 })),
    }),
  ),
})

export const DELETE_RECORDS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexibleFrom: 2,
  request,
  response,
}
