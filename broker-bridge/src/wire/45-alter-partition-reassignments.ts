/** AlterPartitionReassignments, versions 0 to 1, all flexible. 1: whether the replication factor may change. */
import type { Api } from './api.ts'
import {
  array,
  bool,
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
  allowReplicationFactorChange: since(1, bool, true),
  topics: array(
    struct({ name: string, partitions: array(struct({ index: int32, replicas: nullableArray(int32) })) }),
  ),
})

const response = struct({
  throttleTimeMs: int32,
  allowReplicationFactorChange: since(1, bool, true),
  errorCode: int16,
  errorMessage: nullableString,
  responses: array(
    struct({
      name: string,
      partitions: array(struct({ index: int32, errorCode: int16, errorMessage: nullableString })),
    }),
  ),
})

export const ALTER_PARTITION_REASSIGNMENTS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexibleFrom: 0,
  request,
  response,
}
