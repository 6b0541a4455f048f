/** Produce: every record gets a trace context, and a span `send T` where it is sampled, as far as its topic's `trace` says. */
import {
  PRODUCE,
  producedLayout,
  produceLayout,
  type ReplacedRecords,
  withRecords,
} from '../../wire/00-produce.ts'
import type { Answer, Exchange, Stage } from '../exchange.ts'
import { Injector, type Sending, type TraceOptions } from '../inject-contexts.ts'
import { endSend } from '../spans.ts'
import type { TopicIds } from '../topic-ids.ts'

/** Builds the stage. */
export function traceProduce(options: TraceOptions): Stage {
  return (exchange) => {
    if (exchange.api !== PRODUCE || !exchange.isForwarded) return undefined
    const sending: Sending[] = []
    injectContexts(exchange, options, sending)
    if (sending.length === 0) return undefined
    if (exchange.expectsAnswer) return (answer) => endAll(answer, options.topicIds, sending)
    for (const { span } of sending) endSend(span, 0, undefined)
    return undefined
  }
}

function injectContexts(exchange: Exchange, options: TraceOptions, sending: Sending[]): void {
  const replaced: ReplacedRecords[] = []
  const { topicByName } = options.snapshots.current()
  for (const asked of exchange.layout(produceLayout).topics) {
    const topic = options.topicIds.nameOf(asked) ?? ''
    if (topicByName.get(topic)?.trace === 'never') continue
    for (const partition of asked.partitions) {
      const injector = new Injector(
        options,
        { topic, partition: partition.index },
        { sending, allocate: exchange.allocate },
      )
      const records = injector.run(exchange.frame, partition)
      if (records !== undefined) replaced.push({ partition, records })
    }
  }
  if (replaced.length > 0) exchange.replaceByPieces(withRecords(exchange.frame, exchange.version, replaced))
}

function endAll(answer: Answer, topicIds: TopicIds, sending: readonly Sending[]): undefined {
  const { topics } = answer.layout(producedLayout)
  for (const { topic, partition, offsetDelta, span } of sending) {
    const said = topics
      .find((each) => topicIds.nameOf(each) === topic)
      ?.partitions.find(({ index }) => index === partition)
    const offset = said === undefined || said.baseOffset < 0 ? undefined : said.baseOffset + offsetDelta
    endSend(span, said?.errorCode ?? UNKNOWN_SERVER_ERROR, offset)
  }
}

const UNKNOWN_SERVER_ERROR = -1
