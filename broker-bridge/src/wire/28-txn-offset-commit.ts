/**
 * TxnOffsetCommit, versions 0 to 5. 2: leader epoch · 3: flexible, member and generation · 4:
 * TRANSACTION_ABORTABLE · 5: adds the offsets to the transaction, too (KIP-890).
 */
import type { Api } from './api.ts'
import { array, int16, int32, int64, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({
  transactionalId: string,
  groupId: string,
  producerId: int64,
  producerEpoch: int16,
  generationId: since(3, int32, -1),
  memberId: since(3, string),
  groupInstanceId: since(3, nullableString),
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          index: int32,
          committedOffset: int64,
          committedLeaderEpoch: since(2, int32, -1),
          committedMetadata: nullableString,
        }),
      ),
    }),
  ),
})

const response = struct({
  throttleTimeMs: int32,
  topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
})

export const TXN_OFFSET_COMMIT: Api<Of<typeof request>, Of<typeof response>> = {
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 5],
  flexibleFrom: 3,
  request,
  response,
}
