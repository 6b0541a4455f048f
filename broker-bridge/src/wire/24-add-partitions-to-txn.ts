/**
 * AddPartitionsToTxn, versions 0 to 5. 2: PRODUCER_FENCED · 3: flexible · 4: several transactions, between brokers
 * only (KIP-890) · 5: TRANSACTION_ABORTABLE.
 */
import type { Api } from './api.ts'
import { array, bool, int16, int32, int64, type Of, since, string, struct, until } from './codec.ts'

const addPartitionsToTxnTopic = struct({ name: string, partitions: array(int32) })

const addPartitionsToTxnPartitionResult = struct({ index: int32, partitionErrorCode: int16 })

const addPartitionsToTxnTopicResult = struct({
  name: string,
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
})

const request = struct({
  transactions: since(
    4,
    array(
      struct({
        transactionalId: since(4, string),
        producerId: since(4, int64),
        producerEpoch: since(4, int16),
        verifyOnly: since(4, bool),
        topics: since(4, array(addPartitionsToTxnTopic)),
      }),
    ),
  ),
  v3AndBelowTransactionalId: until(3, string),
  v3AndBelowProducerId: until(3, int64),
  v3AndBelowProducerEpoch: until(3, int16),
  v3AndBelowTopics: until(3, array(addPartitionsToTxnTopic)),
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: since(4, int16),
  resultsByTransaction: since(
    4,
    array(
      struct({
        transactionalId: since(4, string),
        topicResults: since(4, array(addPartitionsToTxnTopicResult)),
      }),
    ),
  ),
  resultsByTopicV3AndBelow: until(3, array(addPartitionsToTxnTopicResult)),
})

export const ADD_PARTITIONS_TO_TXN: Api<Of<typeof request>, Of<typeof response>> = {
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexibleFrom: 3,
  request,
  response,
}
