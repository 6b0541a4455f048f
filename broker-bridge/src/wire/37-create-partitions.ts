/** CreatePartitions, versions 0 to 3. 2: flexible · 3: THROTTLING_QUOTA_EXCEEDED. */
import type { Api } from './api.ts'
import { array, bool, int16, int32, nullableArray, nullableString, type Of, string, struct } from './codec.ts'

const request = struct({
  topics: array(
    struct({ name: string, count: int32, assignments: nullableArray(struct({ brokerIds: array(int32) })) }),
  ),
  timeoutMs: int32,
  validateOnly: bool,
})

const response = struct({
  throttleTimeMs: int32,
  results: array(struct({ name: string, errorCode: int16, errorMessage: nullableString })),
})

export const CREATE_PARTITIONS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleFrom: 2,
  request,
  response,
}
