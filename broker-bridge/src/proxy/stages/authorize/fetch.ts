import {
  FETCH,
  type FetchedTopic,
  type FetchLayout,
  type FetchTopic,
  fetchedLayout,
  fetchLayout,
  NO_SESSION_EPOCH,
} from '../../../wire/01-fetch.ts'
import { withTopics } from '../../../wire/cut.ts'
import { KAFKA_ERROR, NO_OFFSET } from '../../../wire/error-codes.ts'
import type { Answer, AnswerHook, Exchange } from '../../exchange.ts'
import { topicKey } from '../../topic-ids.ts'
import type { AuthorizeContext, Authorizer } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { topicError } from './topic-error.ts'

/**
 * Fetch: READ on each topic; refused ones are cut out of the request and told apart in the answer. A fetch waits at
 * the broker for up to minutes: what was permitted when it left is asked again before its answer is delivered.
 *
 * Fetch sessions (KIP-227) are kept out: in a session a request names only what changed, and the broker would go on
 * sending a topic that a policy has since closed. So every request is made a full one without a session (in place: two
 * numbers), the answer says "no session", and clients then name all their partitions each time.
 */
export const authorizeFetch: Authorizer = (exchange, context) => {
  const layout = exchange.layout(fetchLayout)
  if (isOfSession(layout)) {
    // Not one that was opened through here. "Unknown session" makes the client start with a full request.
    const errorCode = KAFKA_ERROR.fetchSessionIdNotFound
    exchange.answer(FETCH, { ...FETCH.response.absent, errorCode })
    return undefined
  }
  withoutSession(exchange.frame, layout)

  const kept: FetchTopic[] = []
  const refusals: Refusal[] = []
  for (const topic of layout.topics) {
    const error = errorOf(topic, layout, context)
    if (error === undefined) kept.push(topic)
    else refusals.push(fetchRefusal(topic, topic.partitions, error))
  }
  const merge = refusals.length === 0 ? undefined : withoutFetched(exchange, layout, { kept, refusals })
  if (exchange.localAnswer !== undefined) return undefined
  const judge = judgeAgain(context)
  return (answer) => {
    judge(answer)
    return merge?.(answer)
  }
}

/** Asks the broker for these topics only, and answers for the others. */
export function withoutFetched(
  exchange: Exchange,
  layout: FetchLayout,
  { kept, refusals }: { readonly kept: readonly FetchTopic[]; readonly refusals: readonly Refusal[] },
): AnswerHook | undefined {
  if (kept.length === 0) {
    exchange.answer(FETCH, { ...FETCH.response.absent, topics: refusals })
    return undefined
  }
  cut(exchange, layout, kept)
  const order = layout.topics.map(topicKey)
  return (answer) => {
    const message = answer.message(FETCH)
    message.topics = inClientOrder(order, [...message.topics, ...refusals], topicKey)
    answer.changed()
    return undefined
  }
}

function errorOf(
  topic: FetchTopic,
  { replicaId }: FetchLayout,
  context: AuthorizeContext,
): number | undefined {
  // A replica may read beyond what consumers see; that is a broker's right (CLUSTER_ACTION), never a workload's.
  const error = replicaId >= 0 ? KAFKA_ERROR.topicAuthorizationFailed : topicError(context, topic, 'consume')
  if (error === KAFKA_ERROR.topicAuthorizationFailed)
    context.tally.consumeRefused(context.topicIds.nameOf(topic) ?? '')
  return error
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

type Refusal = ReturnType<typeof fetchRefusal>

/** What is answered for a topic that the broker is not asked for. */
export const fetchRefusal = (
  { name, topicId }: Pick<FetchTopic, 'name' | 'topicId'>,
  partitions: readonly number[],
  errorCode: number,
) => ({
  name,
  topicId,
  partitions: partitions.map((index) => ({
    index,
    errorCode,
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

/** Of what a policy has closed meanwhile the client gets nothing. */
function judgeAgain(context: AuthorizeContext): (answer: Answer) => void {
  const { access } = context
  const epoch = access.epoch
  return (answer) => {
    const closed = access.epoch === epoch ? [] : closedSince(answer, context)
    if (closed.length === 0) return
    const message = answer.message(FETCH)
    message.topics = message.topics.map((topic) =>
      closed.some((each) => topicKey(each) === topicKey(topic))
        ? fetchRefusal(
            topic,
            topic.partitions.map(({ index }) => index),
            KAFKA_ERROR.topicAuthorizationFailed,
          )
        : topic,
    )
    answer.changed()
  }
}

const closedSince = (answer: Answer, context: AuthorizeContext): readonly FetchedTopic[] =>
  answer.layout(fetchedLayout).topics.filter((topic) => topicError(context, topic, 'consume') !== undefined)
