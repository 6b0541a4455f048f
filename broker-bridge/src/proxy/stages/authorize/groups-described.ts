/**
 * The groups of the newer protocols, described (KIP-848, KIP-932, KIP-1071): DESCRIBE on each group, and on every topic that
 * it reads: one that may not be seen hides the group's members.
 */

import { OPERATIONS_NOT_ASKED } from '../../../wire/03-metadata.ts'
import { CONSUMER_GROUP_DESCRIBE } from '../../../wire/69-consumer-group-describe.ts'
import { SHARE_GROUP_DESCRIBE } from '../../../wire/77-share-group-describe.ts'
import { STREAMS_GROUP_DESCRIBE } from '../../../wire/89-streams-group-describe.ts'
import type { Api } from '../../../wire/api.ts'
import type { Of } from '../../../wire/codec.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Authorizer, AuthorizerTable } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { authorizedOperations } from './operations.ts'

const TOPIC_REFUSED = {
  errorCode: KAFKA_ERROR.topicAuthorizationFailed,
  errorMessage: 'The group has described topic(s) that the client is not authorized to describe.',
}

interface Group {
  readonly groupId: string
  readonly errorCode: number
  readonly errorMessage: string | null
  authorizedOperations: number
}

interface Described<G extends Group> {
  readonly topicsOf: (group: G) => readonly string[]
  /** A group of which nothing is told but its id and error. */
  readonly nothing: Omit<G, 'groupId' | 'errorCode' | 'errorMessage'>
}

function describes<G extends Group>(
  api: Api<{ groupIds: readonly string[] }, { groups: readonly G[] }>,
  { topicsOf, nothing }: Described<G>,
): AuthorizerTable[number] {
  const without = (groupId: string, error: Pick<Group, 'errorCode' | 'errorMessage'>): G =>
    ({ ...nothing, ...error, groupId }) as G
  const authorizer: Authorizer = (exchange, { access }) => {
    const request = exchange.read(api)
    const kept = request.groupIds.filter((id) => access.allows('group', id, 'describe'))
    const error = { errorCode: KAFKA_ERROR.groupAuthorizationFailed, errorMessage: null }
    const refused = request.groupIds.filter((id) => !kept.includes(id)).map((id) => without(id, error))
    if (kept.length === 0 && refused.length > 0) {
      exchange.answer(api, { ...api.response.absent, groups: refused })
      return undefined
    }
    if (refused.length > 0) exchange.write(api, { ...request, groupIds: kept })
    return (answer) => {
      const message = answer.message(api)
      const found = message.groups.map((group) => {
        if (topicsOf(group).some((topic) => !access.sees('topic', topic, 'describe')))
          return without(group.groupId, TOPIC_REFUSED)
        const operations = authorizedOperations(access, group.authorizedOperations, 'group', group.groupId)
        return { ...group, authorizedOperations: operations }
      })
      message.groups = inClientOrder(request.groupIds, [...found, ...refused], ({ groupId }) => groupId)
      answer.changed()
      return undefined
    }
  }
  return [api.key, authorizer]
}

const NOTHING = {
  groupState: '',
  groupEpoch: 0,
  assignmentEpoch: 0,
  members: [],
  authorizedOperations: OPERATIONS_NOT_ASKED,
  tags: [],
}

type StreamsGroup = Of<typeof STREAMS_GROUP_DESCRIBE.response>['groups'][number]

const topicsOfStreams = ({ topology }: StreamsGroup): readonly string[] =>
  (topology?.subtopologies ?? []).flatMap((part) => [
    ...part.sourceTopics,
    ...part.repartitionSinkTopics,
    ...[...part.repartitionSourceTopics, ...part.stateChangelogTopics].map(({ name }) => name),
  ])

export const DESCRIBED_GROUP_AUTHORIZERS: AuthorizerTable = [
  describes(CONSUMER_GROUP_DESCRIBE, {
    topicsOf: ({ members }) =>
      members.flatMap(({ assignment, targetAssignment }) =>
        [...assignment.topicPartitions, ...targetAssignment.topicPartitions].map(({ name }) => name),
      ),
    nothing: { ...NOTHING, assignorName: '' },
  }),
  describes(SHARE_GROUP_DESCRIBE, {
    topicsOf: ({ members }) =>
      members.flatMap(({ assignment }) => assignment.topicPartitions.map(({ name }) => name)),
    nothing: { ...NOTHING, assignorName: '' },
  }),
  describes(STREAMS_GROUP_DESCRIBE, { topicsOf: topicsOfStreams, nothing: { ...NOTHING, topology: null } }),
]
