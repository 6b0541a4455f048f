/**
 * Members of the groups that the broker assigns to (KIP-848, KIP-932, KIP-1071): READ on the group, DESCRIBE on every topic that
 * is named. A regular expression names none: the broker resolves it with its own eyes, so topics that the member may not
 * describe are taken out of its assignment. They could not be fetched either.
 */
import { CONSUMER_GROUP_HEARTBEAT } from '../../../wire/68-consumer-group-heartbeat.ts'
import { SHARE_GROUP_HEARTBEAT } from '../../../wire/76-share-group-heartbeat.ts'
import { STREAMS_GROUP_HEARTBEAT } from '../../../wire/88-streams-group-heartbeat.ts'
import type { Api } from '../../../wire/api.ts'
import type { Of } from '../../../wire/codec.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Answer, AnswerHook } from '../../exchange.ts'
import type { AuthorizeContext, Authorizer, AuthorizerTable } from './authorizer.ts'

interface Assigning {
  assignment: { readonly topicPartitions: readonly { readonly topicId: Buffer }[] } | null
}

/** The error that a heartbeat is refused with; undefined where group and topics are permitted. */
function errorOf(
  { access }: AuthorizeContext,
  groupId: string,
  topics: readonly string[],
): number | undefined {
  if (!access.allows('group', groupId, 'consume')) return KAFKA_ERROR.groupAuthorizationFailed
  // All are asked, so that the log names all that is missing.
  const isRefused = topics.map((topic) => access.allows('topic', topic, 'describe')).includes(false)
  return isRefused ? KAFKA_ERROR.topicAuthorizationFailed : undefined
}

function filterAssignment<Response extends Assigning>(
  api: Api<unknown, Response>,
  context: AuthorizeContext,
): AnswerHook {
  const { access, topicIds } = context
  const filter = (answer: Answer, message: Response): undefined => {
    if (message.assignment === null) return
    const came = message.assignment.topicPartitions
    const topicPartitions = came.filter(({ topicId }) => {
      const name = topicIds.nameOf({ name: null, topicId })
      return name !== undefined && access.allows('topic', name, 'describe')
    })
    if (topicPartitions.length === came.length) return
    message.assignment = { ...message.assignment, topicPartitions }
    answer.changed()
  }
  return (answer) => {
    const message = answer.message(api)
    // Most heartbeats bring no assignment.
    if (message.assignment === null) return undefined
    const learning = topicIds.resolve(message.assignment.topicPartitions)
    return learning?.then(() => filter(answer, message)) ?? filter(answer, message)
  }
}

const consumerHeartbeat: Authorizer = (exchange, context) => {
  const { groupId, subscribedTopicNames } = exchange.read(CONSUMER_GROUP_HEARTBEAT)
  const errorCode = errorOf(context, groupId, subscribedTopicNames ?? [])
  if (errorCode === undefined) return filterAssignment(CONSUMER_GROUP_HEARTBEAT, context)
  exchange.answer(CONSUMER_GROUP_HEARTBEAT, { ...CONSUMER_GROUP_HEARTBEAT.response.absent, errorCode })
  return undefined
}

const shareHeartbeat: Authorizer = (exchange, context) => {
  const { groupId, subscribedTopicNames } = exchange.read(SHARE_GROUP_HEARTBEAT)
  const errorCode = errorOf(context, groupId, subscribedTopicNames ?? [])
  if (errorCode === undefined) return filterAssignment(SHARE_GROUP_HEARTBEAT, context)
  exchange.answer(SHARE_GROUP_HEARTBEAT, { ...SHARE_GROUP_HEARTBEAT.response.absent, errorCode })
  return undefined
}

type Topology = Of<typeof STREAMS_GROUP_HEARTBEAT.request>['topology']

const topicsOf = (topology: Topology): readonly string[] =>
  (topology?.subtopologies ?? []).flatMap((part) => [
    ...part.sourceTopics,
    ...part.repartitionSinkTopics,
    ...[...part.repartitionSourceTopics, ...part.stateChangelogTopics].map(({ name }) => name),
  ])

/** Its assignment names parts of the topology, whose topics were judged when it was sent. */
const streamsHeartbeat: Authorizer = (exchange, context) => {
  const { groupId, topology } = exchange.read(STREAMS_GROUP_HEARTBEAT)
  const errorCode = errorOf(context, groupId, topicsOf(topology))
  if (errorCode !== undefined)
    exchange.answer(STREAMS_GROUP_HEARTBEAT, { ...STREAMS_GROUP_HEARTBEAT.response.absent, errorCode })
  return undefined
}

export const HEARTBEAT_AUTHORIZERS: AuthorizerTable = [
  [CONSUMER_GROUP_HEARTBEAT.key, consumerHeartbeat],
  [SHARE_GROUP_HEARTBEAT.key, shareHeartbeat],
  [STREAMS_GROUP_HEARTBEAT.key, streamsHeartbeat],
]
