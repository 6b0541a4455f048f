/** Transactions: WRITE on the transactional id, then on what the transaction touches. */
import { ADD_PARTITIONS_TO_TXN } from '../../../wire/24-add-partitions-to-txn.ts'
import { ADD_OFFSETS_TO_TXN } from '../../../wire/25-add-offsets-to-txn.ts'
import { END_TXN } from '../../../wire/26-end-txn.ts'
import { WRITE_TXN_MARKERS } from '../../../wire/27-write-txn-markers.ts'
import { TXN_OFFSET_COMMIT } from '../../../wire/28-txn-offset-commit.ts'
import { DESCRIBE_TRANSACTIONS } from '../../../wire/65-describe-transactions.ts'
import { LIST_TRANSACTIONS } from '../../../wire/66-list-transactions.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Authorizer, AuthorizerTable } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { CLUSTER_NAME } from './operations.ts'
import { splitEntries } from './split.ts'

const CLUSTER_REFUSED = KAFKA_ERROR.clusterAuthorizationFailed
const ID_REFUSED = KAFKA_ERROR.transactionalIdAuthorizationFailed
const GROUP_REFUSED = KAFKA_ERROR.groupAuthorizationFailed
const TOPIC_REFUSED = KAFKA_ERROR.topicAuthorizationFailed

/** All or nothing: one topic that is refused keeps the others out as well. From version 4 brokers ask each other. */
const addPartitions: Authorizer = (exchange, { access }) => {
  const request = exchange.read(ADD_PARTITIONS_TO_TXN)
  const absent = ADD_PARTITIONS_TO_TXN.response.absent
  if (exchange.version >= 4) {
    if (!access.allows('cluster', CLUSTER_NAME, 'clusterAction'))
      exchange.answer(ADD_PARTITIONS_TO_TXN, { ...absent, errorCode: CLUSTER_REFUSED })
    return undefined
  }
  const isIdAllowed = access.allows('transactionalId', request.v3AndBelowTransactionalId, 'produce')
  const refused = request.v3AndBelowTopics.filter(
    ({ name }) => !isIdAllowed || !access.allows('topic', name, 'produce'),
  )
  if (refused.length === 0) return undefined
  const resultsByTopicV3AndBelow = request.v3AndBelowTopics.map((topic) => {
    const topicError = refused.includes(topic) ? TOPIC_REFUSED : KAFKA_ERROR.operationNotAttempted
    const partitionErrorCode = isIdAllowed ? topicError : ID_REFUSED
    return {
      name: topic.name,
      resultsByPartition: topic.partitions.map((index) => ({ index, partitionErrorCode, tags: [] })),
      tags: [],
    }
  })
  exchange.answer(ADD_PARTITIONS_TO_TXN, { ...absent, resultsByTopicV3AndBelow })
  return undefined
}

const addOffsets: Authorizer = (exchange, { access }) => {
  const { transactionalId, groupId } = exchange.read(ADD_OFFSETS_TO_TXN)
  const absent = ADD_OFFSETS_TO_TXN.response.absent
  if (!access.allows('transactionalId', transactionalId, 'produce'))
    exchange.answer(ADD_OFFSETS_TO_TXN, { ...absent, errorCode: ID_REFUSED })
  else if (!access.allows('group', groupId, 'consume'))
    exchange.answer(ADD_OFFSETS_TO_TXN, { ...absent, errorCode: GROUP_REFUSED })
  return undefined
}

const endTransaction: Authorizer = (exchange, { access }) => {
  if (!access.allows('transactionalId', exchange.read(END_TXN).transactionalId, 'produce'))
    exchange.answer(END_TXN, { ...END_TXN.response.absent, errorCode: ID_REFUSED })
  return undefined
}

/** What brokers write to each other; a person with ALTER on the cluster may abort a hanging transaction with it. */
const writeMarkers: Authorizer = (exchange, { access }) => {
  if (
    access.sees('cluster', CLUSTER_NAME, 'alter') ||
    access.allows('cluster', CLUSTER_NAME, 'clusterAction')
  )
    return undefined
  const markers = exchange.read(WRITE_TXN_MARKERS).markers.map(({ producerId, topics }) => ({
    producerId,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((index) => ({ index, errorCode: CLUSTER_REFUSED, tags: [] })),
      tags: [],
    })),
    tags: [],
  }))
  exchange.answer(WRITE_TXN_MARKERS, { markers, tags: [] })
  return undefined
}

const commitOffsets: Authorizer = (exchange, { access }) => {
  const { transactionalId, groupId } = exchange.read(TXN_OFFSET_COMMIT)
  const whole = !access.allows('transactionalId', transactionalId, 'produce')
    ? ID_REFUSED
    : !access.allows('group', groupId, 'consume')
      ? GROUP_REFUSED
      : undefined
  return splitEntries(exchange, TXN_OFFSET_COMMIT, {
    asked: 'topics',
    answered: 'topics',
    keyOf: ({ name }) => name,
    refuse({ name, partitions }) {
      if (whole === undefined && access.allows('topic', name, 'consume', groupId)) return undefined
      const errorCode = whole ?? TOPIC_REFUSED
      return { name, partitions: partitions.map(({ index }) => ({ index, errorCode, tags: [] })), tags: [] }
    },
  })
}

const describeTransactions: Authorizer = (exchange, { access }) => {
  const request = exchange.read(DESCRIBE_TRANSACTIONS)
  const kept = request.transactionalIds.filter((id) => access.allows('transactionalId', id, 'describe'))
  const refused = request.transactionalIds
    .filter((id) => !kept.includes(id))
    .map((transactionalId) => ({ ...NO_TRANSACTION, transactionalId }))
  if (kept.length === 0 && refused.length > 0) {
    exchange.answer(DESCRIBE_TRANSACTIONS, {
      ...DESCRIBE_TRANSACTIONS.response.absent,
      transactionStates: refused,
    })
    return undefined
  }
  if (refused.length > 0) exchange.write(DESCRIBE_TRANSACTIONS, { ...request, transactionalIds: kept })
  return (answer) => {
    const message = answer.message(DESCRIBE_TRANSACTIONS)
    const found = message.transactionStates.map((state) => ({
      ...state,
      topics: state.topics.filter(({ name }) => access.sees('topic', name, 'describe')),
    }))
    message.transactionStates = inClientOrder(
      request.transactionalIds,
      [...found, ...refused],
      ({ transactionalId }) => transactionalId,
    )
    answer.changed()
    return undefined
  }
}

const NO_TRANSACTION = {
  errorCode: ID_REFUSED,
  transactionState: '',
  transactionTimeoutMs: 0,
  transactionStartTimeMs: 0n,
  producerId: 0n,
  producerEpoch: 0,
  topics: [],
  tags: [],
}

const listTransactions: Authorizer =
  (_exchange, { access }) =>
  (answer) => {
    const message = answer.message(LIST_TRANSACTIONS)
    message.transactionStates = message.transactionStates.filter(({ transactionalId }) =>
      access.sees('transactionalId', transactionalId, 'describe'),
    )
    answer.changed()
    return undefined
  }

export const TRANSACTION_AUTHORIZERS: AuthorizerTable = [
  [ADD_PARTITIONS_TO_TXN.key, addPartitions],
  [ADD_OFFSETS_TO_TXN.key, addOffsets],
  [END_TXN.key, endTransaction],
  [WRITE_TXN_MARKERS.key, writeMarkers],
  [TXN_OFFSET_COMMIT.key, commitOffsets],
  [DESCRIBE_TRANSACTIONS.key, describeTransactions],
  [LIST_TRANSACTIONS.key, listTransactions],
]
