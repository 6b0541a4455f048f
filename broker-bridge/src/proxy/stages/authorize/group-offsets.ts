/** OffsetCommit: READ on the group and on each topic. OffsetFetch: DESCRIBE on the group and on each topic. */
import { OFFSET_COMMIT } from '../../../wire/08-offset-commit.ts'
import { OFFSET_FETCH } from '../../../wire/09-offset-fetch.ts'
import type { Of } from '../../../wire/codec.ts'
import { KAFKA_ERROR, NO_EPOCH, NO_OFFSET } from '../../../wire/error-codes.ts'
import type { Access } from '../../access.ts'
import type { AnswerHook, Exchange } from '../../exchange.ts'
import type { Authorizer } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { splitTopics } from './topics.ts'

export const authorizeOffsetCommit: Authorizer = (exchange, { access }) => {
  const { groupId } = exchange.read(OFFSET_COMMIT)
  const isGroupAllowed = access.allows('group', groupId, 'consume')
  const errorCode = isGroupAllowed
    ? KAFKA_ERROR.topicAuthorizationFailed
    : KAFKA_ERROR.groupAuthorizationFailed
  return splitTopics(exchange, OFFSET_COMMIT, {
    isAllowed: (topic) => isGroupAllowed && access.allows('topic', topic, 'consume', groupId),
    refuse: ({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => ({ index, errorCode, tags: [] })),
      tags: [],
    }),
  })
}

export const authorizeOffsetFetch: Authorizer = (exchange, { access }) =>
  exchange.version >= 8 ? fetchOfGroups(exchange, access) : fetchOfOneGroup(exchange, access)

type Asked = NonNullable<Of<typeof OFFSET_FETCH.request>['topics']>
type Found = Of<typeof OFFSET_FETCH.response>['topics']

const refusals = (topics: Asked, errorCode: number): Found =>
  topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => ({
      index,
      committedOffset: NO_OFFSET,
      committedLeaderEpoch: NO_EPOCH,
      metadata: '',
      errorCode,
      tags: [],
    })),
    tags: [],
  }))

interface SplitTopics {
  /** Null: all that the client may see. */
  readonly kept: Asked | null
  /** Puts an answer together again. */
  readonly merge: (found: Found) => Found
}

function split(asked: Asked | null, access: Access): SplitTopics {
  if (asked === null)
    return {
      kept: null,
      merge: (found) => found.filter(({ name }) => access.sees('topic', name, 'describe')),
    }
  const kept = asked.filter(({ name }) => access.allows('topic', name, 'describe'))
  const refused = refusals(
    asked.filter((topic) => !kept.includes(topic)),
    KAFKA_ERROR.topicAuthorizationFailed,
  )
  const names = asked.map(({ name }) => name)
  return { kept, merge: (found) => inClientOrder(names, [...found, ...refused], ({ name }) => name) }
}

function fetchOfOneGroup(exchange: Exchange, access: Access): AnswerHook | undefined {
  const request = exchange.read(OFFSET_FETCH)
  if (!access.allows('group', request.groupId, 'describe')) {
    const errorCode = KAFKA_ERROR.groupAuthorizationFailed
    // Versions 0 and 1 have no place for an error but the partitions.
    const topics = exchange.version >= 2 ? [] : refusals(request.topics ?? [], errorCode)
    exchange.answer(OFFSET_FETCH, { ...OFFSET_FETCH.response.absent, topics, errorCode })
    return undefined
  }
  const { kept, merge } = split(request.topics, access)
  if (kept !== null && kept.length === request.topics?.length) return undefined
  if (kept !== null) exchange.write(OFFSET_FETCH, { ...request, topics: kept })
  return (answer) => {
    const message = answer.message(OFFSET_FETCH)
    // An error of the group comes without topics.
    if (message.errorCode === KAFKA_ERROR.none) message.topics = merge(message.topics)
    answer.changed()
    return undefined
  }
}

function fetchOfGroups(exchange: Exchange, access: Access): AnswerHook | undefined {
  const request = exchange.read(OFFSET_FETCH)
  const kept = request.groups.filter(({ groupId }) => access.allows('group', groupId, 'describe'))
  const refused = request.groups
    .filter((group) => !kept.includes(group))
    .map(({ groupId }) => ({
      groupId,
      topics: [],
      errorCode: KAFKA_ERROR.groupAuthorizationFailed,
      tags: [],
    }))
  if (kept.length === 0 && refused.length > 0) {
    exchange.answer(OFFSET_FETCH, { ...OFFSET_FETCH.response.absent, groups: refused })
    return undefined
  }
  const splits = new Map(kept.map(({ groupId, topics }) => [groupId, split(topics, access)]))
  const groups = kept.map((group) => ({ ...group, topics: splits.get(group.groupId)?.kept ?? null }))
  exchange.write(OFFSET_FETCH, { ...request, groups })
  const names = request.groups.map(({ groupId }) => groupId)
  return (answer) => {
    const message = answer.message(OFFSET_FETCH)
    const found = message.groups.map((group) =>
      group.errorCode === KAFKA_ERROR.none
        ? { ...group, topics: splits.get(group.groupId)?.merge(group.topics) ?? [] }
        : group,
    )
    message.groups = inClientOrder(names, [...found, ...refused], ({ groupId }) => groupId)
    answer.changed()
    return undefined
  }
}
