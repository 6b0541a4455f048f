import { LIST_OFFSETS } from '../../../wire/02-list-offsets.ts'
import { OFFSET_FOR_LEADER_EPOCH } from '../../../wire/23-offset-for-leader-epoch.ts'
import { KAFKA_ERROR, NO_EPOCH, NO_OFFSET } from '../../../wire/error-codes.ts'
import type { Authorizer } from './authorizer.ts'
import { splitTopics } from './topics.ts'

const errorCode = KAFKA_ERROR.topicAuthorizationFailed

/** ListOffsets: DESCRIBE on each topic. */
export const authorizeListOffsets: Authorizer = (exchange, { access }) =>
  splitTopics(exchange, LIST_OFFSETS, {
    isAllowed: (topic) => access.allows('topic', topic, 'describe'),
    refuse: ({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => ({
        index,
        errorCode,
        timestamp: NO_OFFSET,
        offset: NO_OFFSET,
        leaderEpoch: NO_EPOCH,
        tags: [],
      })),
      tags: [],
    }),
  })

/** OffsetForLeaderEpoch: DESCRIBE on each topic. */
export const authorizeOffsetForLeaderEpoch: Authorizer = (exchange, { access }) =>
  splitTopics(exchange, OFFSET_FOR_LEADER_EPOCH, {
    isAllowed: (topic) => access.allows('topic', topic, 'describe'),
    refuse: ({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => ({
        index,
        errorCode,
        leaderEpoch: NO_EPOCH,
        endOffset: NO_OFFSET,
        tags: [],
      })),
      tags: [],
    }),
  })
