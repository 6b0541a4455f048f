import { LIST_OFFSETS } from '../../../wire/02-list-offsets.ts'
import { OFFSET_FOR_LEADER_EPOCH } from '../../../wire/23-offset-for-leader-epoch.ts'
import { KAFKA_ERROR, NO_EPOCH, NO_OFFSET } from '../../../wire/error-codes.ts'
import type { Authorizer } from './authorizer.ts'
import { splitEntries } from './split.ts'

const errorCode = KAFKA_ERROR.topicAuthorizationFailed

/** ListOffsets: DESCRIBE on each topic. */
export const authorizeListOffsets: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, LIST_OFFSETS, {
    asked: 'topics',
    answered: 'topics',
    keyOf: ({ name }) => name,
    refuse({ name, partitions }) {
      if (access.allows('topic', name, 'describe')) return undefined
      const refusals = partitions.map(({ index }) => ({
        index,
        errorCode,
        timestamp: NO_OFFSET,
        offset: NO_OFFSET,
        leaderEpoch: NO_EPOCH,
        tags: [],
      }))
      return { name, partitions: refusals, tags: [] }
    },
  })

/** OffsetForLeaderEpoch: DESCRIBE on each topic. */
export const authorizeOffsetForLeaderEpoch: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, OFFSET_FOR_LEADER_EPOCH, {
    asked: 'topics',
    answered: 'topics',
    keyOf: ({ name }) => name,
    refuse({ name, partitions }) {
      if (access.allows('topic', name, 'describe')) return undefined
      const refusals = partitions.map(({ index }) => ({
        index,
        errorCode,
        leaderEpoch: NO_EPOCH,
        endOffset: NO_OFFSET,
        tags: [],
      }))
      return { name, partitions: refusals, tags: [] }
    },
  })
