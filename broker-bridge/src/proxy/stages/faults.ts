/**
 * Faults on purpose, as a topic asks for them: answers that come late, "not the leader" in place of an answer of the broker, connections that end. The dice are
 * thrown for each request and topic.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MeshError } from '@weft/schemas/error'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SnapshotSource, TopicFault } from '@weft/schemas/snapshot'
import { PRODUCE, produceLayout } from '../../wire/00-produce.ts'
import { FETCH, fetchLayout } from '../../wire/01-fetch.ts'
import { KAFKA_ERROR } from '../../wire/error-codes.ts'
import type { AnswerHook, Exchange, Stage } from '../exchange.ts'
import type { Direction } from '../quotas.ts'
import type { TopicIds, TopicRef } from '../topic-ids.ts'
import { fetchRefusal, withoutFetched } from './authorize/fetch.ts'
import { produceRefusal, withoutProduced } from './authorize/produce.ts'

export interface FaultOptions {
  readonly snapshots: SnapshotSource
  readonly topicIds: TopicIds
  readonly metrics: Metrics
}

/** Builds the stage. */
export function faults(options: FaultOptions): Stage {
  return (exchange) => {
    if (exchange.api === PRODUCE) return onProduce(exchange, options)
    return exchange.api === FETCH ? onFetch(exchange, options) : undefined
  }
}

function onProduce(exchange: Exchange, options: FaultOptions): AnswerHook | undefined {
  const layout = exchange.layout(produceLayout)
  const { delayMs, moved } = thrown('produce', layout.topics, options)
  const merge =
    moved.size === 0
      ? undefined
      : withoutProduced(exchange, layout, {
          kept: layout.topics.filter((topic) => !moved.has(topic)),
          refusals: [...moved].map((topic) => produceRefusal(topic, KAFKA_ERROR.notLeaderOrFollower)),
        })
  return later(delayMs, merge)
}

function onFetch(exchange: Exchange, options: FaultOptions): AnswerHook | undefined {
  const layout = exchange.layout(fetchLayout)
  const { delayMs, moved } = thrown('consume', layout.topics, options)
  const merge =
    moved.size === 0
      ? undefined
      : withoutFetched(exchange, layout, {
          kept: layout.topics.filter((topic) => !moved.has(topic)),
          refusals: [...moved].map((topic) =>
            fetchRefusal(topic, topic.partitions, KAFKA_ERROR.notLeaderOrFollower),
          ),
        })
  return later(delayMs, merge)
}

/** Holds the answer back, and with it those behind it. */
function later(delayMs: number, merge: AnswerHook | undefined): AnswerHook | undefined {
  if (delayMs === 0) return merge
  return async (answer) => {
    await merge?.(answer)
    await sleep(delayMs, undefined, { ref: false })
  }
}

function thrown<Topic extends TopicRef>(
  direction: Direction,
  topics: readonly Topic[],
  { snapshots, topicIds, metrics }: FaultOptions,
): { readonly delayMs: number; readonly moved: ReadonlySet<Topic> } {
  const { topicByName } = snapshots.current()
  const moved = new Set<Topic>()
  let delayMs = 0
  for (const topic of topics) {
    const name = topicIds.nameOf(topic) ?? ''
    const fault = topicByName.get(name)?.faults?.find((each) => concerns(each, direction))
    if (fault === undefined) continue
    const made = (kind: string): void =>
      metrics.counter('weft_faults_injected_total').inc({ destination: name, kind })
    if (isDue(fault.disconnect?.percent)) {
      made('disconnect')
      throw new MeshError('fault_injected', `the connection ends on purpose (faults of topic ${name})`)
    }
    if (isDue(fault.notLeader?.percent)) {
      made('not-leader')
      moved.add(topic)
    }
    if (fault.delay !== undefined && isDue(fault.delay.percent)) {
      made('delay')
      delayMs = Math.max(delayMs, fault.delay.fixedMs)
    }
  }
  return { delayMs, moved }
}

const concerns = ({ operations }: TopicFault, direction: Direction): boolean =>
  operations === undefined || operations.includes(direction)

const isDue = (percent = 0): boolean => percent > 0 && Math.random() * 100 < percent
