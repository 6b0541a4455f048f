import { PRODUCE, producedLayout, produceLayout } from '../../wire/00-produce.ts'
import { FETCH, fetchedLayout } from '../../wire/01-fetch.ts'
import { KAFKA_ERROR } from '../../wire/error-codes.ts'
import { countRecords } from '../../wire/record-batch.ts'
import type { Answer, AnswerHook, Exchange, Stage } from '../exchange.ts'
import type { Tally } from '../tally.ts'
import { type TopicIds, topicKey } from '../topic-ids.ts'

export interface CountOptions {
  readonly tally: Tally
  readonly topicIds: TopicIds
}

/** Records and bytes of what is permitted, as the broker answers it; refusals were counted where they were decided. */
export function count(options: CountOptions): Stage {
  const onFetched = (answer: Answer): undefined => countFetched(answer, options)
  return (exchange) => {
    if (exchange.api === PRODUCE) return countProduced(exchange, options)
    return exchange.api === FETCH ? onFetched : undefined
  }
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

function countFetched(answer: Answer, { tally, topicIds }: CountOptions): undefined {
  const { topics } = answer.layout(fetchedLayout)
  const frame = answer.frame()
  for (const topic of topics) {
    const name = topicIds.nameOf(topic) ?? ''
    for (const { recordsFrom, recordsTo } of topic.partitions) {
      if (recordsFrom === recordsTo) continue
      tally.records('consume', name, 'ok', countRecords(frame, recordsFrom, recordsTo))
      tally.bytes('consume', name, recordsTo - recordsFrom)
    }
  }
}
