/**
 * ShareFetch and ShareAcknowledge (KIP-932): READ on the group and on each topic. A share session names only what changed, so
 * a topic that was closed since goes on coming: what an answer brings is judged as well. Its records stay acquired until
 * their lock ends, then others get them. And a topic that was withheld from the broker is not named again when a policy opens it: the
 * client is told then that there is no such session, and names all its topics anew.
 */
import { SHARE_FETCH } from '../../../wire/78-share-fetch.ts'
import { SHARE_ACKNOWLEDGE } from '../../../wire/79-share-acknowledge.ts'
import type { Api } from '../../../wire/api.ts'
import type { Of } from '../../../wire/codec.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { AnswerHook, Exchange } from '../../exchange.ts'
import type { AuthorizeContext, Authorizer, AuthorizerTable } from './authorizer.ts'
import { topicError } from './topic-error.ts'

interface AskedTopic {
  readonly topicId: Buffer
  readonly partitions: readonly {
    readonly index: number
    readonly acknowledgementBatches: readonly unknown[]
  }[]
}

interface Asking {
  readonly groupId: string | null
  readonly topics: readonly AskedTopic[]
}

interface Answering<Topic> {
  errorCode: number
  responses: readonly Topic[]
}

interface RefusedPartition {
  readonly index: number
  /** Whether records were acknowledged with it: that is answered apart. */
  readonly acknowledges: boolean
}

/** A consumer has one member, and one session for each broker. */
const MAX_SESSIONS = 100
const MAX_TOPICS = 1_000
const OPENING_EPOCH = 0
const CLOSING_EPOCH = -1

/** Of one connection: the topics that the broker was not told of, by session. A member has one session on a connection. */
export class WithheldTopics {
  readonly #bySession = new Map<string, Map<string, Pick<AskedTopic, 'topicId'>>>()

  /** What is known of a session that begins or ends says nothing any more. */
  forget(session: string): void {
    this.#bySession.delete(session)
  }

  add(session: string, { topicId }: Pick<AskedTopic, 'topicId'>): void {
    // Members are made up by clients. Who is forgotten has to open its session again by itself.
    if (this.#bySession.size >= MAX_SESSIONS) this.#bySession.clear()
    const topics = this.#bySession.get(session) ?? new Map<string, Pick<AskedTopic, 'topicId'>>()
    if (topics.size < MAX_TOPICS) topics.set(topicId.toString('latin1'), { topicId: Buffer.from(topicId) })
    this.#bySession.set(session, topics)
  }

  of(session: string): readonly Pick<AskedTopic, 'topicId'>[] {
    return [...(this.#bySession.get(session)?.values() ?? [])]
  }
}

type Refuse<Topic> = (topicId: Buffer, partitions: readonly RefusedPartition[], errorCode: number) => Topic

type Answered = { readonly topicId: Buffer; readonly partitions: readonly { readonly index: number }[] }

const errorOf = (context: AuthorizeContext, { topicId }: { readonly topicId: Buffer }): number | undefined =>
  topicError(context, { name: null, topicId }, 'consume')

const refusedOf = ({ partitions }: AskedTopic): readonly RefusedPartition[] =>
  partitions.map(({ index, acknowledgementBatches }) => ({
    index,
    acknowledges: acknowledgementBatches.length > 0,
  }))

function judge<Request extends Asking, Topic extends Answered, Response extends Answering<Topic>>(
  exchange: Exchange,
  context: AuthorizeContext,
  {
    api,
    refuse,
    onRefused,
  }: {
    readonly api: Api<Request, Response>
    readonly refuse: Refuse<Topic>
    readonly onRefused?: (topic: AskedTopic) => void
  },
): AnswerHook | undefined {
  const request = exchange.read(api)
  // Without a group it is no request: the broker says so.
  if (request.groupId !== null && !context.access.allows('group', request.groupId, 'consume')) {
    exchange.answer(api, { ...api.response.absent, errorCode: KAFKA_ERROR.groupAuthorizationFailed })
    return undefined
  }
  const kept: Request['topics'][number][] = []
  const refused: Topic[] = []
  for (const topic of request.topics) {
    const error = errorOf(context, topic)
    if (error === undefined) {
      kept.push(topic)
      continue
    }
    refused.push(refuse(topic.topicId, refusedOf(topic), error))
    onRefused?.(topic)
  }
  // Sent on even when nothing is left of it: it opens, keeps or closes the session.
  if (refused.length > 0) exchange.write(api, { ...request, topics: kept })
  return (answer) => {
    const message = answer.message(api)
    // The answer to a request as a whole has no topics.
    if (message.errorCode !== KAFKA_ERROR.none) return undefined
    let isChanged = refused.length > 0
    const judged = message.responses.map((topic) => {
      const error = errorOf(context, topic)
      if (error === undefined) return topic
      isChanged = true
      const partitions = topic.partitions.map(({ index }) => ({ index, acknowledges: false }))
      return refuse(topic.topicId, partitions, error)
    })
    if (!isChanged) return undefined
    message.responses = [...judged, ...refused]
    answer.changed()
    return undefined
  }
}

const NO_LEADER = { leaderId: 0, leaderEpoch: 0, tags: [] }

const refuseFetch: Refuse<Of<typeof SHARE_FETCH.response>['responses'][number]> = (
  topicId,
  partitions,
  errorCode,
) => ({
  topicId,
  partitions: partitions.map(({ index, acknowledges }) => ({
    index,
    errorCode,
    errorMessage: null,
    acknowledgeErrorCode: acknowledges ? errorCode : KAFKA_ERROR.none,
    acknowledgeErrorMessage: null,
    currentLeader: NO_LEADER,
    records: null,
    acquiredRecords: [],
    tags: [],
  })),
  tags: [],
})

const refuseAcknowledge: Refuse<Of<typeof SHARE_ACKNOWLEDGE.response>['responses'][number]> = (
  topicId,
  partitions,
  errorCode,
) => ({
  topicId,
  partitions: partitions.map(({ index }) => ({
    index,
    errorCode,
    errorMessage: null,
    currentLeader: NO_LEADER,
    tags: [],
  })),
  tags: [],
})

const shareFetch: Authorizer = (exchange, context) => {
  const { groupId, memberId, shareSessionEpoch } = exchange.read(SHARE_FETCH)
  const session = JSON.stringify([groupId, memberId])
  const { withheld } = context
  const isOpened = withheld.of(session).some((topic) => errorOf(context, topic) === undefined)
  if (shareSessionEpoch === OPENING_EPOCH || shareSessionEpoch === CLOSING_EPOCH || isOpened)
    withheld.forget(session)
  if (isOpened && shareSessionEpoch > OPENING_EPOCH) {
    exchange.answer(SHARE_FETCH, {
      ...SHARE_FETCH.response.absent,
      errorCode: KAFKA_ERROR.shareSessionNotFound,
    })
    return undefined
  }
  const onRefused = (topic: AskedTopic): void => withheld.add(session, topic)
  return judge(exchange, context, { api: SHARE_FETCH, refuse: refuseFetch, onRefused })
}

const shareAcknowledge: Authorizer = (exchange, context) =>
  judge(exchange, context, { api: SHARE_ACKNOWLEDGE, refuse: refuseAcknowledge })

export const SHARE_AUTHORIZERS: AuthorizerTable = [
  [SHARE_FETCH.key, shareFetch],
  [SHARE_ACKNOWLEDGE.key, shareAcknowledge],
]
