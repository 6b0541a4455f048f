import { PRODUCE, type ProduceTopic, produceLayout } from '../../../wire/00-produce.ts'
import { withTopics } from '../../../wire/cut.ts'
import { KAFKA_ERROR, NO_OFFSET } from '../../../wire/error-codes.ts'
import type { AnswerHook, Exchange } from '../../exchange.ts'
import type { Authorizer } from './authorizer.ts'
import { inClientOrder } from './merge.ts'

/**
 * Produce: WRITE on each topic, and on the transactional id where there is one. Refused topics are cut out of the
 * request. With acks=0 there is no answer to say it in: Kafka closes the connection after it took the rest.
 */
export const authorizeProduce: Authorizer = (exchange, { access, tally }) => {
  const layout = exchange.layout(produceLayout)
  if (layout.acks === 0) exchange.expectsAnswer = false
  const id = layout.transactionalId
  const isIdAllowed = id === null || access.allows('transactionalId', id, 'produce')
  const error = isIdAllowed
    ? KAFKA_ERROR.topicAuthorizationFailed
    : KAFKA_ERROR.transactionalIdAuthorizationFailed
  const kept = isIdAllowed ? layout.topics.filter(({ name }) => access.allows('topic', name, 'produce')) : []
  if (kept.length === layout.topics.length) return undefined

  const refused = layout.topics.filter((topic) => !kept.includes(topic))
  for (const topic of refused) tally.produceRefused(exchange.frame, topic)
  const refusals = refused.map((topic) => refusal(topic, error))
  if (layout.acks === 0) {
    exchange.closesConnection = true
    exchange.isForwarded = kept.length > 0
  }
  if (kept.length === 0) return answerAll(exchange, refusals)

  const { topicsFrom, topicsTo } = layout
  const frame = exchange.frame
  exchange.replace(withTopics(PRODUCE, exchange.version, { frame, topicsFrom, topicsTo, kept }))
  return mergeInto(
    layout.topics.map(({ name }) => name),
    refusals,
  )
}

type Refusal = ReturnType<typeof refusal>

const refusal = (topic: ProduceTopic, errorCode: number) => ({
  name: topic.name,
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
  if (exchange.expectsAnswer) exchange.answer(PRODUCE, { topics, throttleTimeMs: 0, tags: [] })
}

const mergeInto =
  (names: readonly string[], refusals: readonly Refusal[]): AnswerHook =>
  (answer) => {
    const message = answer.message(PRODUCE)
    message.topics = inClientOrder(names, [...message.topics, ...refusals], ({ name }) => name)
    answer.changed()
    return undefined
  }
