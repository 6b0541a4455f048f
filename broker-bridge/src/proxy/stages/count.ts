import { PRODUCE, producedLayout, produceLayout } from '../../wire/00-produce.ts'
import { FETCH, type FetchTopic, fetchedLayout, fetchLayout } from '../../wire/01-fetch.ts'
import { KAFKA_ERROR } from '../../wire/error-codes.ts'
import { countFetched, countRecords } from '../../wire/record-batch.ts'
import { offsetAsked } from '../asked-offset.ts'
import type { ClientGroups } from '../client-groups.ts'
import type { Answer, AnswerHook, Exchange, Stage } from '../exchange.ts'
import type { Tally } from '../tally.ts'
import { type TopicIds, topicKey } from '../topic-ids.ts'

export interface CountOptions {
  readonly tally: Tally
  readonly topicIds: TopicIds
  readonly groups: ClientGroups
}

/**
 * Records and bytes of what is permitted, as the broker answers it, and how long it took; refusals were counted where they were decided. Of what is
 * fetched also how much there is still to fetch.
 */
export function count(options: CountOptions): Stage {
  return (exchange) => {
    options.groups.learn(exchange)
    const counted = countIn(exchange, options)
    if (!exchange.expectsAnswer) return counted
    const startedAt = performance.now()
    return (answer) => {
      options.tally.took(exchange.api.name, (performance.now() - startedAt) / 1000)
      return counted?.(answer)
    }
  }
}

function countIn(exchange: Exchange, options: CountOptions): AnswerHook | undefined {
  if (exchange.api === PRODUCE) return countProduced(exchange, options)
  if (exchange.api !== FETCH) return undefined
  const { topics } = exchange.layout(fetchLayout)
  const clientId = exchange.header.clientId ?? ''
  return (answer) => countDelivered(answer, topics, options.groups.groupOf(clientId), options)
}

interface Sent {
  readonly key: string
  readonly topic: string
  readonly partition: number
  readonly records: number
}

function countProduced(exchange: Exchange, { tally, topicIds }: CountOptions): AnswerHook | undefined {
  if (!exchange.isForwarded) return undefined
  const sent: Sent[] = []
  for (const topic of exchange.layout(produceLayout).topics) {
    const name = topicIds.nameOf(topic) ?? ''
    for (const { index, recordsFrom, recordsTo } of topic.partitions) {
      tally.bytes('produce', name, recordsTo - recordsFrom)
      sent.push({
        key: topicKey(topic),
        topic: name,
        partition: index,
        records: countRecords(exchange.frame, recordsFrom, recordsTo),
      })
    }
  }
  if (exchange.expectsAnswer) return (answer) => countAnswered(answer, sent, tally)
  // acks=0: nobody will ever know better.
  for (const { topic, records } of sent) tally.records('produce', topic, 'ok', records)
  return undefined
}

function countAnswered(answer: Answer, sent: readonly Sent[], tally: Tally): undefined {
  const { topics } = answer.layout(producedLayout)
  for (const { key, topic, partition, records } of sent) {
    const error = topics
      .find((each) => topicKey(each) === key)
      ?.partitions.find(({ index }) => index === partition)?.errorCode
    tally.records('produce', topic, error === KAFKA_ERROR.none ? 'ok' : 'failed', records)
  }
}

function countDelivered(
  answer: Answer,
  asked: readonly FetchTopic[],
  group: string,
  { tally, topicIds }: CountOptions,
): undefined {
  const frame = answer.frame()
  for (const topic of answer.layout(fetchedLayout).topics) {
    const name = topicIds.nameOf(topic) ?? ''
    for (const { index, highWatermark, recordsFrom, recordsTo } of topic.partitions) {
      const { records, nextOffset } = countFetched(frame, recordsFrom, recordsTo)
      const position = nextOffset ?? offsetAsked(asked, topic, index)
      if (highWatermark >= 0 && position !== undefined)
        tally.behind(name, index, group, Math.max(0, highWatermark - position))
      if (recordsFrom === recordsTo) continue
      tally.records('consume', name, 'ok', records, group)
      tally.bytes('consume', name, recordsTo - recordsFrom)
    }
  }
}
