import {
  FETCH,
  type FetchLayout,
  fetchedTopics,
  fetchLayout,
  NO_SESSION_EPOCH,
} from '../../../wire/01-fetch.ts'
import { withTopics } from '../../../wire/cut.ts'
import { KAFKA_ERROR, NO_OFFSET } from '../../../wire/error-codes.ts'
import type { Access } from '../../access.ts'
import type { Answer, AnswerHook, Exchange } from '../../exchange.ts'
import type { Authorizer } from './authorizer.ts'
import { inClientOrder } from './merge.ts'

/**
 * Fetch: READ on each topic; refused ones are cut out of the request and told apart in the answer. A fetch waits at
 * the broker for up to minutes: what was permitted when it left is asked again before its answer is delivered.
 *
 * Fetch sessions (KIP-227) are kept out: in a session a request names only what changed, and the broker would go on
 * sending a topic that a policy has since closed. So every request is made a full one without a session (in place: two
 * numbers), the answer says "no session", and clients then name all their partitions each time.
 */
export const authorizeFetch: Authorizer = (exchange, { access, tally }) => {
  const layout = exchange.layout(fetchLayout)
  if (isOfSession(layout)) {
    // Not one that was opened through here. "Unknown session" makes the client start with a full request.
    const errorCode = KAFKA_ERROR.fetchSessionIdNotFound
    exchange.answer(FETCH, { ...FETCH.response.absent, errorCode, tags: [] })
    return undefined
  }
  withoutSession(exchange.frame, layout)

  // A replica may read beyond what consumers see; that is a broker's right (CLUSTER_ACTION), never a workload's.
  const isReplica = layout.replicaId >= 0
  const kept = isReplica ? [] : layout.topics.filter(({ name }) => access.allows('topic', name, 'consume'))
  const refused = layout.topics.filter((topic) => !kept.includes(topic))
  for (const { name } of refused) tally.consumeRefused(name)
  const refusals = refused.map(({ name, partitions }) => refusal(name, partitions))
  if (refused.length > 0 && kept.length === 0) {
    exchange.answer(FETCH, { ...FETCH.response.absent, topics: refusals, tags: [] })
    return undefined
  }
  if (refused.length > 0) cut(exchange, layout, kept)
  return judgeAgain(access, layout, refusals)
}

const isOfSession = ({ sessionId, sessionEpoch }: FetchLayout): boolean =>
  sessionId !== 0 && sessionEpoch !== NO_SESSION_EPOCH

function withoutSession(frame: Buffer, { sessionAt, sessionId, sessionEpoch }: FetchLayout): void {
  if (sessionAt === undefined || (sessionId === 0 && sessionEpoch === NO_SESSION_EPOCH)) return
  frame.writeInt32BE(0, sessionAt)
  frame.writeInt32BE(NO_SESSION_EPOCH, sessionAt + 4)
}

function cut(exchange: Exchange, layout: FetchLayout, kept: FetchLayout['topics']): void {
  const { topicsFrom, topicsTo } = layout
  const frame = exchange.frame
  exchange.replace(withTopics(FETCH, exchange.version, { frame, topicsFrom, topicsTo, kept }))
}

type Refusal = ReturnType<typeof refusal>

const refusal = (name: string, partitions: readonly number[]) => ({
  name,
  partitions: partitions.map((index) => ({
    index,
    errorCode: KAFKA_ERROR.topicAuthorizationFailed,
    highWatermark: NO_OFFSET,
    lastStableOffset: NO_OFFSET,
    logStartOffset: NO_OFFSET,
    abortedTransactions: [],
    preferredReadReplica: -1,
    records: Buffer.alloc(0),
    tags: [],
  })),
  tags: [],
})

function judgeAgain(access: Access, layout: FetchLayout, refusals: readonly Refusal[]): AnswerHook {
  const epoch = access.epoch
  const names = layout.topics.map(({ name }) => name)
  return (answer) => {
    const closed = access.epoch === epoch ? [] : closedSince(answer, access)
    if (closed.length === 0 && refusals.length === 0) return undefined
    const message = answer.message(FETCH)
    const topics = message.topics.map((topic) =>
      closed.includes(topic.name)
        ? refusal(
            topic.name,
            topic.partitions.map(({ index }) => index),
          )
        : topic,
    )
    message.topics = inClientOrder(names, [...topics, ...refusals], ({ name }) => name)
    answer.changed()
    return undefined
  }
}

const closedSince = (answer: Answer, access: Access): readonly string[] =>
  answer
    .layout(fetchedTopics)
    .map(({ name }) => name)
    .filter((name) => !access.allows('topic', name, 'consume'))
