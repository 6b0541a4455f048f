/**
 * Quotas, as brokers keep them (KIP-219): what was sent or fetched has passed; the answer says for how long the client is to wait, and nothing is read of its
 * connection until then, for those who do not.
 */
import { PRODUCE, producedLayout, produceLayout } from '../../wire/00-produce.ts'
import { FETCH, fetchedLayout } from '../../wire/01-fetch.ts'
import type { Answer, AnswerHook, Exchange, Stage } from '../exchange.ts'
import type { Quotas } from '../quotas.ts'
import type { Tally } from '../tally.ts'
import type { TopicIds } from '../topic-ids.ts'

export interface ThrottleOptions {
  readonly quotas: Quotas
  readonly topicIds: TopicIds
  readonly tally: Tally
}

/** Builds the stage. */
export function throttle(options: ThrottleOptions): Stage {
  const onFetched = (answer: Answer): undefined => {
    const waitMs = chargeAll('consume', answer.layout(fetchedLayout).topics, options)
    // The first field of the body in every version.
    if (waitMs > 0) tell(answer, answer.place.bodyAt, waitMs)
  }
  return (exchange) => {
    if (exchange.api === FETCH) return onFetched
    return exchange.api === PRODUCE ? onProduce(exchange, options) : undefined
  }
}

function onProduce(exchange: Exchange, options: ThrottleOptions): AnswerHook | undefined {
  if (!exchange.isForwarded) return undefined
  const waitMs = chargeAll('produce', exchange.layout(produceLayout).topics, options)
  if (waitMs === 0) return undefined
  if (exchange.expectsAnswer)
    return (answer) => {
      tell(answer, answer.layout(producedLayout).throttleAt, waitMs)
      return undefined
    }
  exchange.muteMs = waitMs
  return undefined
}

type Charged = Parameters<TopicIds['nameOf']>[0] & {
  readonly partitions: readonly { readonly recordsFrom: number; readonly recordsTo: number }[]
}

function chargeAll(
  direction: 'produce' | 'consume',
  topics: readonly Charged[],
  { quotas, topicIds, tally }: ThrottleOptions,
): number {
  let waitMs = 0
  for (const topic of topics) {
    let bytes = 0
    for (const { recordsFrom, recordsTo } of topic.partitions) bytes += recordsTo - recordsFrom
    if (bytes === 0) continue
    const name = topicIds.nameOf(topic) ?? ''
    const asked = quotas.charge(name, direction, bytes)
    if (asked > 0) tally.throttled(direction, name, asked / 1000)
    if (asked > waitMs) waitMs = asked
  }
  return waitMs
}

/** `throttleAt`: of the int32 in the answer; undefined in versions without. The broker may ask for more. */
function tell(answer: Answer, throttleAt: number | undefined, waitMs: number): void {
  const frame = answer.frame()
  if (throttleAt !== undefined)
    frame.writeInt32BE(Math.max(frame.readInt32BE(throttleAt), waitMs), throttleAt)
  answer.muteMs = waitMs
}
