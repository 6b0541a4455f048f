/** Groups deleted, and their offsets deleted, set and described, by those who run them. */
import { DELETE_GROUPS } from '../../../wire/42-delete-groups.ts'
import { OFFSET_DELETE } from '../../../wire/47-offset-delete.ts'
import { DESCRIBE_SHARE_GROUP_OFFSETS } from '../../../wire/90-describe-share-group-offsets.ts'
import { ALTER_SHARE_GROUP_OFFSETS } from '../../../wire/91-alter-share-group-offsets.ts'
import { DELETE_SHARE_GROUP_OFFSETS } from '../../../wire/92-delete-share-group-offsets.ts'
import { NO_TOPIC_ID, type Of } from '../../../wire/codec.ts'
import { KAFKA_ERROR, KAFKA_ERROR_TEXT } from '../../../wire/error-codes.ts'
import type { Authorizer, AuthorizerTable } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { splitEntries } from './split.ts'

const TOPIC_REFUSED = {
  errorCode: KAFKA_ERROR.topicAuthorizationFailed,
  errorMessage: KAFKA_ERROR_TEXT[KAFKA_ERROR.topicAuthorizationFailed],
  tags: [],
}
const GROUP_REFUSED = {
  errorCode: KAFKA_ERROR.groupAuthorizationFailed,
  errorMessage: KAFKA_ERROR_TEXT[KAFKA_ERROR.groupAuthorizationFailed],
  tags: [],
}

const byName = ({ name }: { readonly name: string }): string => name

const deleteGroups: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, DELETE_GROUPS, {
    asked: 'groupsNames',
    answered: 'results',
    keyOf: (entry) => (typeof entry === 'string' ? entry : entry.groupId),
    refuse: (groupId) =>
      access.allows('group', groupId, 'delete')
        ? undefined
        : { groupId, errorCode: KAFKA_ERROR.groupAuthorizationFailed, tags: [] },
  })

const deleteOffsets: Authorizer = (exchange, { access }) => {
  if (!access.allows('group', exchange.read(OFFSET_DELETE).groupId, 'delete')) {
    const { errorCode } = GROUP_REFUSED
    exchange.answer(OFFSET_DELETE, { ...OFFSET_DELETE.response.absent, errorCode })
    return undefined
  }
  return splitEntries(exchange, OFFSET_DELETE, {
    asked: 'topics',
    answered: 'topics',
    keyOf: byName,
    wholeError,
    refuse({ name, partitions }) {
      if (access.allows('topic', name, 'consume')) return undefined
      const { errorCode } = TOPIC_REFUSED
      return { name, partitions: partitions.map(({ index }) => ({ index, errorCode, tags: [] })), tags: [] }
    },
  })
}

const wholeError = ({ errorCode }: { readonly errorCode: number }): number => errorCode

type Described = Of<typeof DESCRIBE_SHARE_GROUP_OFFSETS.response>['groups'][number]

const describeShareOffsets: Authorizer = (exchange, { access }) => {
  const request = exchange.read(DESCRIBE_SHARE_GROUP_OFFSETS)
  const kept = request.groups.filter(({ groupId }) => access.allows('group', groupId, 'describe'))
  const refused = request.groups
    .filter((group) => !kept.includes(group))
    .map(({ groupId }) => ({ ...GROUP_REFUSED, groupId, topics: [] }))
  if (kept.length === 0 && refused.length > 0) {
    const absent = DESCRIBE_SHARE_GROUP_OFFSETS.response.absent
    exchange.answer(DESCRIBE_SHARE_GROUP_OFFSETS, { ...absent, groups: refused })
    return undefined
  }
  const asked = new Map(request.groups.map(({ groupId, topics }) => [groupId, topics]))
  const isSeen = ({ name }: { readonly name: string }): boolean => access.sees('topic', name, 'describe')
  const groups = kept.map((group) => ({ ...group, topics: group.topics?.filter(isSeen) ?? null }))
  exchange.write(DESCRIBE_SHARE_GROUP_OFFSETS, { ...request, groups })
  const withRefused = (group: Described): Described => {
    if (group.errorCode !== KAFKA_ERROR.none) return group
    const hidden = (asked.get(group.groupId) ?? []).filter((topic) => !isSeen(topic)).map(refusedOffsets)
    return { ...group, topics: [...group.topics.filter(isSeen), ...hidden] }
  }
  return (answer) => {
    const message = answer.message(DESCRIBE_SHARE_GROUP_OFFSETS)
    const all = [...message.groups.map(withRefused), ...refused]
    message.groups = inClientOrder(
      request.groups.map(({ groupId }) => groupId),
      all,
      ({ groupId }) => groupId,
    )
    answer.changed()
    return undefined
  }
}

const refusedOffsets = ({ name, partitions }: { name: string; partitions: readonly number[] }) => ({
  name,
  topicId: NO_TOPIC_ID,
  partitions: partitions.map((index) => ({
    ...TOPIC_REFUSED,
    index,
    startOffset: -1n,
    leaderEpoch: 0,
    lag: -1n,
  })),
  tags: [],
})

const alterShareOffsets: Authorizer = (exchange, { access }) => {
  if (!access.allows('group', exchange.read(ALTER_SHARE_GROUP_OFFSETS).groupId, 'consume')) {
    exchange.answer(ALTER_SHARE_GROUP_OFFSETS, {
      ...ALTER_SHARE_GROUP_OFFSETS.response.absent,
      ...GROUP_REFUSED,
    })
    return undefined
  }
  return splitEntries(exchange, ALTER_SHARE_GROUP_OFFSETS, {
    asked: 'topics',
    answered: 'responses',
    keyOf: byName,
    wholeError,
    refuse({ name, partitions }) {
      if (access.allows('topic', name, 'consume')) return undefined
      const refusals = partitions.map(({ index }) => ({ ...TOPIC_REFUSED, index }))
      return { name, topicId: NO_TOPIC_ID, partitions: refusals, tags: [] }
    },
  })
}

const deleteShareOffsets: Authorizer = (exchange, { access }) => {
  if (!access.allows('group', exchange.read(DELETE_SHARE_GROUP_OFFSETS).groupId, 'delete')) {
    exchange.answer(DELETE_SHARE_GROUP_OFFSETS, {
      ...DELETE_SHARE_GROUP_OFFSETS.response.absent,
      ...GROUP_REFUSED,
    })
    return undefined
  }
  return splitEntries(exchange, DELETE_SHARE_GROUP_OFFSETS, {
    asked: 'topics',
    answered: 'responses',
    keyOf: byName,
    wholeError,
    refuse: ({ name }) =>
      access.allows('topic', name, 'consume') ? undefined : { ...TOPIC_REFUSED, name, topicId: NO_TOPIC_ID },
  })
}

export const GROUP_ADMIN_AUTHORIZERS: AuthorizerTable = [
  [DELETE_GROUPS.key, deleteGroups],
  [OFFSET_DELETE.key, deleteOffsets],
  [DESCRIBE_SHARE_GROUP_OFFSETS.key, describeShareOffsets],
  [ALTER_SHARE_GROUP_OFFSETS.key, alterShareOffsets],
  [DELETE_SHARE_GROUP_OFFSETS.key, deleteShareOffsets],
]
