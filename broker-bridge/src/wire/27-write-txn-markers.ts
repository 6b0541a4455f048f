/**
 * WriteTxnMarkers, versions 1 to 2, all flexible. 1: flexible · 2: transaction version (KIP-1228). Between
 * brokers.
 */
import type { Api } from './api.ts'
import { array, bool, int8, int16, int32, int64, type Of, since, string, struct } from './codec.ts'

const request = struct({
  markers: array(
    struct({
      producerId: int64,
      producerEpoch: int16,
      transactionResult: bool,
      topics: array(struct({ name: string, partitionIndexes: array(int32) })),
      coordinatorEpoch: int32,
      transactionVersion: since(2, int8),
    }),
  ),
})

const response = struct({
  markers: array(
    struct({
      producerId: int64,
      topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
    }),
  ),
})

export const WRITE_TXN_MARKERS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [1, 2],
  flexibleFrom: 1,
  request,
  response,
}
