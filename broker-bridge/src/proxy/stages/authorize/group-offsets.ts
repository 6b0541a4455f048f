/** OffsetCommit: READ on the group and on each topic. OffsetFetch: DESCRIBE on the group and on each topic. */
import { OFFSET_COMMIT } from '../../../wire/08-offset-commit.ts'
import { OFFSET_FETCH } from '../../../wire/09-offset-fetch.ts'
import type { Of } from '../../../wire/codec.ts'
import { KAFKA_ERROR, NO_EPOCH, NO_OFFSET } from '../../../wire/error-codes.ts'
import type { AnswerHook, Exchange } from '../../exchange.ts'
import { topicKey } from '../../topic-ids.ts'
import type { AuthorizeContext, Authorizer } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { splitEntries } from './split.ts'
import { topicError } from './topic-error.ts'

export const authorizeOffsetCommit: Authorizer = (exchange, context) => {
  const { groupId } = exchange.read(OFFSET_COMMIT)
  const isGroupAllowed = context.access.allows('group', groupId, 'consume')
  return splitEntries(exchange, OFFSET_COMMIT, {
    asked: 'topics',
    answered: 'topics',
    keyOf: topicKey,
    refuse(topic) {
      const errorCode = isGroupAllowed
        ? topicError(context, topic, 'consume', groupId)
        : KAFKA_ERROR.groupAuthorizationFailed
      if (errorCode === undefined) return undefined
      const partitions = topic.partitions.map(({ index }) => ({ index, errorCode, tags: [] }))
      return { name: topic.name, topicId: topic.topicId, partitions, tags: [] }
    },
  })
}

export const authorizeOffsetFetch: Authorizer = (exchange, context) =>
  exchange.version >= 8 ? fetchOfGroups(exchange, context) : fetchOfOneGroup(exchange, context)

type Asked = NonNullable<Of<typeof OFFSET_FETCH.request>['topics']>
type Found = Of<typeof OFFSET_FETCH.response>['topics']

const refusal = ({ name, topicId, partitionIndexes }: Asked[number], errorCode: number): Found[number] => ({
  name,
  topicId,
  partitions: partitionIndexes.map((index) => ({
    index,
    committedOffset: NO_OFFSET,
    committedLeaderEpoch: NO_EPOCH,
    metadata: '',
    errorCode,
    tags: [],
  })),
  tags: [],
})

interface SplitTopics {
  /** Null: all that the client may see. */
  readonly kept: Asked | null
  /** Puts an answer together again. */
  readonly merge: (found: Found) => Found
}

function split(asked: Asked | null, context: AuthorizeContext): SplitTopics {
  const { access, topicIds } = context
  if (asked === null)
    return {
      kept: null,
      merge: (found) =>
        found.filter((topic) => {
          const name = topicIds.nameOf(topic)
          return name !== undefined && access.sees('topic', name, 'describe')
        }),
    }
  const kept: Asked[number][] = []
  const refused: Found[number][] = []
  for (const topic of asked) {
    const error = topicError(context, topic, 'describe')
    if (error === undefined) kept.push(topic)
    else refused.push(refusal(topic, error))
  }
  return { kept, merge: (found) => inClientOrder(asked.map(topicKey), [...found, ...refused], topicKey) }
}

function fetchOfOneGroup(exchange: Exchange, context: AuthorizeContext): AnswerHook | undefined {
  const request = exchange.read(OFFSET_FETCH)
  if (!context.access.allows('group', request.groupId, 'describe')) {
    const errorCode = KAFKA_ERROR.groupAuthorizationFailed
    // Versions 0 and 1 have no place for an error but the partitions.
    const topics =
      exchange.version >= 2 ? [] : (request.topics ?? []).map((topic) => refusal(topic, errorCode))
    exchange.answer(OFFSET_FETCH, { ...OFFSET_FETCH.response.absent, topics, errorCode })
    return undefined
  }
  const { kept, merge } = split(request.topics, context)
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

function fetchOfGroups(exchange: Exchange, context: AuthorizeContext): AnswerHook | undefined {
  const { access, topicIds } = context
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
  const splits = new Map(kept.map(({ groupId, topics }) => [groupId, split(topics, context)]))
  const groups = kept.map((group) => ({ ...group, topics: splits.get(group.groupId)?.kept ?? null }))
  exchange.write(OFFSET_FETCH, { ...request, groups })
  const names = request.groups.map(({ groupId }) => groupId)
  return (answer) => {
    const message = answer.message(OFFSET_FETCH)
    answer.changed()
    const merge = (): undefined => {
      const found = message.groups.map((group) =>
        group.errorCode === KAFKA_ERROR.none
          ? { ...group, topics: splits.get(group.groupId)?.merge(group.topics) ?? [] }
          : group,
      )
      message.groups = inClientOrder(names, [...found, ...refused], ({ groupId }) => groupId)
    }
    // Of a group's topics that nobody named, only the broker knows the names.
    return topicIds.resolve(message.groups.flatMap(({ topics }) => topics))?.then(merge) ?? merge()
  }
}
