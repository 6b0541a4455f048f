/** ElectLeaders, versions 0 to 2. 1: election type, top-level error (KIP-460) · 2: flexible. */
import type { Api } from './api.ts'
import {
  array,
  int8,
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
  electionType: since(1, int8),
  topicPartitions: nullableArray(struct({ name: string, partitions: array(int32) })),
  timeoutMs: since(0, int32, 60000),
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: since(1, int16),
  replicaElectionResults: array(
    struct({
      name: string,
      partitionResult: array(struct({ partitionId: int32, errorCode: int16, errorMessage: nullableString })),
    }),
  ),
})

export const ELECT_LEADERS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexibleFrom: 2,
  request,
  response,
}
