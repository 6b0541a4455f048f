/** Groups of all three protocols, transactions, and what belongs to them. */
import { OFFSET_COMMIT } from '../../../broker-bridge/src/wire/08-offset-commit.ts'
import { OFFSET_FETCH } from '../../../broker-bridge/src/wire/09-offset-fetch.ts'
import { FIND_COORDINATOR } from '../../../broker-bridge/src/wire/10-find-coordinator.ts'
import { JOIN_GROUP } from '../../../broker-bridge/src/wire/11-join-group.ts'
import { HEARTBEAT } from '../../../broker-bridge/src/wire/12-heartbeat.ts'
import { LEAVE_GROUP } from '../../../broker-bridge/src/wire/13-leave-group.ts'
import { SYNC_GROUP } from '../../../broker-bridge/src/wire/14-sync-group.ts'
import { DESCRIBE_GROUPS } from '../../../broker-bridge/src/wire/15-describe-groups.ts'
import { LIST_GROUPS } from '../../../broker-bridge/src/wire/16-list-groups.ts'
import { INIT_PRODUCER_ID } from '../../../broker-bridge/src/wire/22-init-producer-id.ts'
import { ADD_PARTITIONS_TO_TXN } from '../../../broker-bridge/src/wire/24-add-partitions-to-txn.ts'
import { ADD_OFFSETS_TO_TXN } from '../../../broker-bridge/src/wire/25-add-offsets-to-txn.ts'
import { END_TXN } from '../../../broker-bridge/src/wire/26-end-txn.ts'
import { WRITE_TXN_MARKERS } from '../../../broker-bridge/src/wire/27-write-txn-markers.ts'
import { TXN_OFFSET_COMMIT } from '../../../broker-bridge/src/wire/28-txn-offset-commit.ts'
import { DELETE_GROUPS } from '../../../broker-bridge/src/wire/42-delete-groups.ts'
import { OFFSET_DELETE } from '../../../broker-bridge/src/wire/47-offset-delete.ts'
import { DESCRIBE_TRANSACTIONS } from '../../../broker-bridge/src/wire/65-describe-transactions.ts'
import { LIST_TRANSACTIONS } from '../../../broker-bridge/src/wire/66-list-transactions.ts'
import { CONSUMER_GROUP_HEARTBEAT } from '../../../broker-bridge/src/wire/68-consumer-group-heartbeat.ts'
import { CONSUMER_GROUP_DESCRIBE } from '../../../broker-bridge/src/wire/69-consumer-group-describe.ts'
import { SHARE_GROUP_HEARTBEAT } from '../../../broker-bridge/src/wire/76-share-group-heartbeat.ts'
import { SHARE_GROUP_DESCRIBE } from '../../../broker-bridge/src/wire/77-share-group-describe.ts'
import { SHARE_FETCH } from '../../../broker-bridge/src/wire/78-share-fetch.ts'
import { SHARE_ACKNOWLEDGE } from '../../../broker-bridge/src/wire/79-share-acknowledge.ts'
import { STREAMS_GROUP_DESCRIBE } from '../../../broker-bridge/src/wire/89-streams-group-describe.ts'
import { DESCRIBE_SHARE_GROUP_OFFSETS } from '../../../broker-bridge/src/wire/90-describe-share-group-offsets.ts'
import { ALTER_SHARE_GROUP_OFFSETS } from '../../../broker-bridge/src/wire/91-alter-share-group-offsets.ts'
import { DELETE_SHARE_GROUP_OFFSETS } from '../../../broker-bridge/src/wire/92-delete-share-group-offsets.ts'
import { TOPICS } from './principals.ts'
import { ALL, type Asking, ask, type Case, named } from './requests.ts'

const groupOf = ({ own }: Asking) => `app-${own}`
const memberOf = (asking: Asking) => ({ groupId: groupOf(asking), memberId: 'nobody', generationId: 1 })

const committed = (names: readonly string[], asking: Asking, idsFrom: number) =>
  names.map((name) => ({
    ...named(name, asking, idsFrom),
    partitions: [
      { index: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: '', tags: [] },
    ],
    tags: [],
  }))

const asked = (names: readonly string[], asking: Asking) =>
  names.map((name) => ({ ...named(name, asking, 10), partitionIndexes: [0], tags: [] }))

export const GROUP_CASES: readonly Case[] = [
  ask(FIND_COORDINATOR, 'groups', (asking) => ({
    key: groupOf(asking),
    coordinatorKeys: ['theirs', groupOf(asking)],
  })),
  ask(FIND_COORDINATOR, 'a group of somebody else', () => ({ key: 'theirs', coordinatorKeys: ['theirs'] })),
  ask(JOIN_GROUP, 'a group of somebody else', () => ({
    groupId: 'theirs',
    sessionTimeoutMs: 6_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0), tags: [] }],
  })),
  ask(HEARTBEAT, 'as nobody', memberOf),
  ask(SYNC_GROUP, 'as nobody', (asking) => ({
    ...memberOf(asking),
    protocolType: 'consumer',
    protocolName: 'range',
  })),
  ask(LEAVE_GROUP, 'as nobody', (asking) => ({
    groupId: groupOf(asking),
    memberId: 'nobody',
    members: [{ memberId: 'nobody', groupInstanceId: null, reason: null, tags: [] }],
  })),
  ask(OFFSET_COMMIT, 'some permitted', (asking) => ({
    groupId: groupOf(asking),
    topics: committed(Object.keys(TOPICS), asking, 10),
  })),
  ask(OFFSET_COMMIT, 'for somebody else', (asking) => ({
    groupId: 'theirs',
    topics: committed(['both'], asking, 10),
  })),
  ask(OFFSET_FETCH, 'some permitted', (asking) => ({
    groupId: groupOf(asking),
    topics: asked(Object.keys(TOPICS), asking),
    groups: [
      {
        groupId: groupOf(asking),
        memberId: null,
        memberEpoch: -1,
        topics: asked(Object.keys(TOPICS), asking),
        tags: [],
      },
      { groupId: 'theirs', memberId: null, memberEpoch: -1, topics: asked(['both'], asking), tags: [] },
    ],
  })),
  ask(DESCRIBE_GROUPS, 'two', (asking) => ({
    groups: [groupOf(asking), 'theirs'],
    includeAuthorizedOperations: true,
  })),
  ask(DELETE_GROUPS, 'two', ({ own }) => ({ groupsNames: [`app-owned-${own}`, 'theirs'] })),
  ask(OFFSET_DELETE, 'some permitted', ({ own }) => ({
    groupId: `app-owned-${own}`,
    topics: Object.keys(TOPICS).map((name) => ({ name, partitions: [{ index: 0, tags: [] }], tags: [] })),
  })),
  ask(LIST_GROUPS, 'all', () => ({})),
]

const heartbeat = (groupId: string, subscribedTopicNames: readonly string[]) => ({
  groupId,
  memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
  memberEpoch: 0,
  rebalanceTimeoutMs: 10_000,
  subscribedTopicNames,
  topicPartitions: [],
})

const shareTopic = (name: string, { idOf }: Asking) => ({
  topicId: idOf(name),
  partitions: [{ index: 0, acknowledgementBatches: [], tags: [] }],
  tags: [],
})

export const NEW_GROUP_CASES: readonly Case[] = [
  ask(CONSUMER_GROUP_HEARTBEAT, 'a topic that may be seen', ({ own }) =>
    heartbeat(`app-new-${own}`, ['both', 'seen']),
  ),
  ask(CONSUMER_GROUP_HEARTBEAT, 'one that may not', ({ own }) =>
    heartbeat(`app-none-${own}`, ['both', 'secret']),
  ),
  ask(CONSUMER_GROUP_HEARTBEAT, 'somebody else', () => heartbeat('theirs', ['both'])),
  ask(CONSUMER_GROUP_DESCRIBE, 'two', ({ own }) => ({
    groupIds: [`app-new-${own}`, 'theirs'],
    includeAuthorizedOperations: true,
  })),
  ask(SHARE_GROUP_HEARTBEAT, 'a topic that may be seen', ({ own }) =>
    heartbeat(`app-share-${own}`, ['both']),
  ),
  ask(SHARE_GROUP_HEARTBEAT, 'one that may not', ({ own }) =>
    heartbeat(`app-share-none-${own}`, ['both', 'secret']),
  ),
  ask(SHARE_GROUP_DESCRIBE, 'two', ({ own }) => ({
    groupIds: [`app-share-${own}`, 'theirs'],
    includeAuthorizedOperations: true,
  })),
  ask(SHARE_FETCH, 'opens a session', (asking) => ({
    groupId: `app-share-${asking.own}`,
    memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    shareSessionEpoch: 0,
    maxWaitMs: 0,
    maxBytes: 1_000_000,
    maxRecords: 10,
    batchSize: 10,
    topics: ['both', 'secret', 'seen'].map((name) => shareTopic(name, asking)),
  })),
  ask(SHARE_ACKNOWLEDGE, 'without a session', (asking) => ({
    groupId: `app-share-no-${asking.own}`,
    memberId: 'AAAAAAAAAAAAAAAAAAAAAg',
    shareSessionEpoch: 1,
    topics: ['both'].map((name) => shareTopic(name, asking)),
  })),
  ask(SHARE_FETCH, 'for somebody else', (asking) => ({
    groupId: 'theirs',
    memberId: 'AAAAAAAAAAAAAAAAAAAAAg',
    topics: ['both'].map((name) => shareTopic(name, asking)),
  })),
  ask(STREAMS_GROUP_DESCRIBE, 'two', ({ own }) => ({ groupIds: [`app-streams-${own}`, 'theirs'] })),
  ask(DESCRIBE_SHARE_GROUP_OFFSETS, 'two', ({ own }) => ({
    groups: [`app-share-${own}`, 'theirs'].map((groupId) => ({
      groupId,
      topics: ['both', 'secret'].map((name) => ({ name, partitions: [0], tags: [] })),
      tags: [],
    })),
  })),
  ask(
    ALTER_SHARE_GROUP_OFFSETS,
    'some permitted',
    ({ own }) => ({
      groupId: `app-share-alter-${own}`,
      topics: ['both', 'secret'].map((name) => ({
        name,
        partitions: [{ index: 0, startOffset: 0n, tags: [] }],
        tags: [],
      })),
    }),
    ['topicId'],
  ), // Kafka tells the id even of a topic that it hides
  ask(DELETE_SHARE_GROUP_OFFSETS, 'for somebody else', () => ({
    groupId: 'theirs',
    topics: [{ name: 'both', tags: [] }],
  })),
]

const transaction = (asking: Asking) => ({
  transactionalId: `app-${asking.own}`,
  producerId: 1n,
  producerEpoch: 0,
})

/** What brokers ask each other, from version 4 on. */
const betweenBrokers = {
  transactionalId: 'app-x',
  producerId: 1n,
  producerEpoch: 0,
  verifyOnly: true,
  topics: [{ name: 'both', partitions: [0], tags: [] }],
  tags: [],
}

export const TRANSACTION_CASES: readonly Case[] = [
  ask(FIND_COORDINATOR, 'transactions', (asking) => ({
    keyType: 1,
    key: `app-${asking.own}`,
    coordinatorKeys: ['theirs', `app-${asking.own}`],
  })),
  ask(INIT_PRODUCER_ID, 'without a transaction', () => ({
    transactionalId: null,
    transactionTimeoutMs: 10_000,
  })),
  ask(INIT_PRODUCER_ID, 'of somebody else', () => ({
    transactionalId: 'theirs',
    transactionTimeoutMs: 10_000,
  })),
  ask(ADD_PARTITIONS_TO_TXN, 'some permitted', (asking) => ({
    v3AndBelowTransactionalId: `app-${asking.own}`,
    v3AndBelowProducerId: 1n,
    v3AndBelowTopics: Object.keys(TOPICS).map((name) => ({ name, partitions: [0], tags: [] })),
    transactions: [betweenBrokers],
  })),
  ask(ADD_PARTITIONS_TO_TXN, 'of somebody else', () => ({
    v3AndBelowTransactionalId: 'theirs',
    v3AndBelowTopics: [{ name: 'both', partitions: [0], tags: [] }],
    transactions: [betweenBrokers],
  })),
  ask(ADD_OFFSETS_TO_TXN, 'a group of somebody else', (asking) => ({
    ...transaction(asking),
    groupId: 'theirs',
  })),
  ask(ADD_OFFSETS_TO_TXN, 'of nothing that began', (asking) => ({
    ...transaction(asking),
    groupId: groupOf(asking),
  })),
  ask(END_TXN, 'of nothing that began', transaction),
  ask(END_TXN, 'of somebody else', (asking) => ({ ...transaction(asking), transactionalId: 'theirs' })),
  ask(TXN_OFFSET_COMMIT, 'of somebody else', (asking) => ({
    ...transaction(asking),
    transactionalId: 'theirs',
    groupId: groupOf(asking),
    topics: committed(ALL, asking, 99),
  })),
  ask(TXN_OFFSET_COMMIT, 'for a group of somebody else', (asking) => ({
    ...transaction(asking),
    groupId: 'theirs',
    topics: committed(ALL, asking, 99),
  })),
  ask(WRITE_TXN_MARKERS, 'one', () => ({
    markers: [
      {
        producerId: 1n,
        producerEpoch: 0,
        transactionResult: false,
        topics: [{ name: 'missing', partitionIndexes: [0], tags: [] }],
        coordinatorEpoch: 0,
        transactionVersion: 0,
        tags: [],
      },
    ],
  })),
  ask(DESCRIBE_TRANSACTIONS, 'two', (asking) => ({ transactionalIds: [`app-${asking.own}`, 'theirs'] })),
  ask(LIST_TRANSACTIONS, 'all', () => ({ transactionalIdPattern: null, durationFilter: -1n })),
]
