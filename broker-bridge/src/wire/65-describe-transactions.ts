/** DescribeTransactions, version 0, flexible. */
import type { Api } from './api.ts'
import { array, int16, int32, int64, type Of, string, struct } from './codec.ts'

const request = struct({ transactionalIds: array(string) })

const response = struct({
  throttleTimeMs: int32,
  transactionStates: array(
    struct({
      errorCode: int16,
      transactionalId: string,
      transactionState: string,
      transactionTimeoutMs: int32,
      transactionStartTimeMs: int64,
      producerId: int64,
      producerEpoch: int16,
      topics: array(struct({ name: string, partitions: array(int32) })),
    }),
  ),
})

export const DESCRIBE_TRANSACTIONS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
