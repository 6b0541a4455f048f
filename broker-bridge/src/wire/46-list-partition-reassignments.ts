/** ListPartitionReassignments, version 0, flexible. */
import type { Api } from './api.ts'
import {
  array,
  int16,
  int32,
  nullableArray,
  nullableString,
  type Of,
  since,
  string,
  struct,
} from './codec.ts'

const request = struct({
  timeoutMs: since(0, int32, 60000),
  topics: nullableArray(struct({ name: string, partitionIndexes: array(int32) })),
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          index: int32,
          replicas: array(int32),
          addingReplicas: array(int32),
          removingReplicas: array(int32),
        }),
      ),
    }),
  ),
})

export const LIST_PARTITION_REASSIGNMENTS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
