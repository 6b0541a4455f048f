import { PRODUCE, produceLayout } from '../../wire/00-produce.ts'
import { FETCH, fetchedTopics } from '../../wire/01-fetch.ts'
import { KAFKA_ERROR } from '../../wire/error-codes.ts'
import { countRecords } from '../../wire/record-batch.ts'
import type { Answer, AnswerHook, Exchange, Stage } from '../exchange.ts'
import type { Tally } from '../tally.ts'

/** Records and bytes of what is permitted, as the broker answers it; refusals were counted where they were decided. */
export function count(tally: Tally): Stage {
  const onFetched = (answer: Answer): undefined => countFetched(answer, tally)
  return (exchange) => {
    if (exchange.api === PRODUCE) return countProduced(exchange, tally)
    return exchange.api === FETCH ? onFetched : undefined
  }
}

interface Sent {
  readonly topic: string
  readonly partition: number
  readonly records: number
}

function countProduced(exchange: Exchange, tally: Tally): AnswerHook | undefined {
  if (!exchange.isForwarded) return undefined
  const sent: Sent[] = []
  for (const { name, partitions } of exchange.layout(produceLayout).topics) {
    for (const { index, recordsFrom, recordsTo } of partitions) {
      tally.bytes('produce', name, recordsTo - recordsFrom)
      sent.push({
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
  const { topics } = answer.message(PRODUCE)
  for (const { topic, partition, records } of sent) {
    const error = topics
      .find(({ name }) => name === topic)
      ?.partitions.find(({ index }) => index === partition)?.errorCode
    tally.records('produce', topic, error === KAFKA_ERROR.none ? 'ok' : 'failed', records)
  }
}

function countFetched(answer: Answer, tally: Tally): undefined {
  const topics = answer.layout(fetchedTopics)
  const frame = answer.frame()
  for (const { name, partitions } of topics) {
    for (const { recordsFrom, recordsTo } of partitions) {
      if (recordsFrom === recordsTo) continue
      tally.records('consume', name, 'ok', countRecords(frame, recordsFrom, recordsTo))
      tally.bytes('consume', name, recordsTo - recordsFrom)
    }
  }
}
