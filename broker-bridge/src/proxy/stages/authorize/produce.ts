import { PRODUCE, type ProduceLayout, type ProduceTopic, produceLayout } from '../../../wire/00-produce.ts'
import { withTopics } from '../../../wire/cut.ts'
import { KAFKA_ERROR, NO_OFFSET } from '../../../wire/error-codes.ts'
import { hasTransactional } from '../../../wire/record-batch.ts'
import type { AnswerHook, Exchange } from '../../exchange.ts'
import { topicKey } from '../../topic-ids.ts'
import type { Authorizer } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { topicError } from './topic-error.ts'

/**
 * Produce: WRITE on each topic, and on the transactional id where a batch is of a transaction. Refused topics are cut out of the
 * request. With acks=0 there is no answer to say it in: Kafka closes the connection after it took the rest.
 */
export const authorizeProduce: Authorizer = (exchange, context) => {
  const layout = exchange.layout(produceLayout)
  if (layout.acks === 0) exchange.expectsAnswer = false
  const id = layout.transactionalId
  const isIdAllowed =
    id === null ||
    !isTransactional(exchange.frame, layout) ||
    context.access.allows('transactionalId', id, 'produce')
  const kept: ProduceTopic[] = []
  const refusals: Refusal[] = []
  for (const topic of layout.topics) {
    const error = isIdAllowed
      ? topicError(context, topic, 'produce')
      : KAFKA_ERROR.transactionalIdAuthorizationFailed
    if (error === undefined) {
      kept.push(topic)
      continue
    }
    context.tally.produceRefused(exchange.frame, context.topicIds.nameOf(topic) ?? '', topic)
    refusals.push(produceRefusal(topic, error))
  }
  if (refusals.length === 0) return undefined

  if (layout.acks === 0) {
    exchange.closesConnection = true
    exchange.isForwarded = kept.length > 0
  }
  return withoutProduced(exchange, layout, { kept, refusals })
}

/** Sends the broker these topics only, and answers for the others. */
export function withoutProduced(
  exchange: Exchange,
  { topics, topicsFrom, topicsTo }: ProduceLayout,
  { kept, refusals }: { readonly kept: readonly ProduceTopic[]; readonly refusals: readonly Refusal[] },
): AnswerHook | undefined {
  if (kept.length === 0) return answerAll(exchange, refusals)
  const frame = exchange.frame
  exchange.replace(withTopics(PRODUCE, exchange.version, { frame, topicsFrom, topicsTo, kept }))
  return mergeInto(topics.map(topicKey), refusals)
}

const isTransactional = (frame: Buffer, { topics }: ProduceLayout): boolean =>
  topics.some(({ partitions }) =>
    partitions.some(({ recordsFrom, recordsTo }) => hasTransactional(frame, recordsFrom, recordsTo)),
  )

type Refusal = ReturnType<typeof produceRefusal>

/** What is answered for a topic that the broker does not see. */
export const produceRefusal = (topic: ProduceTopic, errorCode: number) => ({
  name: topic.name,
  topicId: topic.topicId,
  partitions: topic.partitions.map(({ index }) => ({
    index,
    errorCode,
    baseOffset: NO_OFFSET,
    logAppendTimeMs: NO_OFFSET,
    logStartOffset: NO_OFFSET,
    recordErrors: [],
    errorMessage: null,
    tags: [],
  })),
  tags: [],
})

function answerAll(exchange: Exchange, topics: readonly Refusal[]): undefined {
  if (!exchange.expectsAnswer) exchange.isForwarded = false
  else exchange.answer(PRODUCE, { topics, throttleTimeMs: 0, tags: [] })
}

const mergeInto =
  (order: readonly string[], refusals: readonly Refusal[]): AnswerHook =>
  (answer) => {
    const message = answer.message(PRODUCE)
    message.topics = inClientOrder(order, [...message.topics, ...refusals], topicKey)
    answer.changed()
    return undefined
  }
