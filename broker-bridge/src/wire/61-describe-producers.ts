/** DescribeProducers, version 0, flexible. */
import type { Api } from './api.ts'
import { array, int16, int32, int64, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({ topics: array(struct({ name: string, partitionIndexes: array(int32) })) })

const response = struct({
  throttleTimeMs: int32,
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          index: int32,
          errorCode: int16,
          errorMessage: nullableString,
          activeProducers: array(
            struct({
              producerId: int64,
              producerEpoch: int32,
              lastSequence: since(0, int32, -1),
              lastTimestamp: since(0, int64, -1n),
              coordinatorEpoch: int32,
              currentTxnStartOffset: since(0, int64, -1n),
            }),
          ),
        }),
      ),
    }),
  ),
})

export const DESCRIBE_PRODUCERS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
