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
  const due = thrown('produce', layout.topics, options)
  if (due === undefined) return undefined
  const refusals = due.moved.map((topic) => produceRefusal(topic, KAFKA_ERROR.notLeaderOrFollower))
  return later(due, () => withoutProduced(exchange, layout, { kept: due.kept, refusals }))
}

function onFetch(exchange: Exchange, options: FaultOptions): AnswerHook | undefined {
  const layout = exchange.layout(fetchLayout)
  const due = thrown('consume', layout.topics, options)
  if (due === undefined) return undefined
  const refusals = due.moved.map((topic) =>
    fetchRefusal(topic, topic.partitions, KAFKA_ERROR.notLeaderOrFollower),
  )
  return later(due, () => withoutFetched(exchange, layout, { kept: due.kept, refusals }))
}

/** Holds the answer back, and with it those behind it. `without` takes what has moved out of the request. */
function later(
  { delayMs, moved }: Due<unknown>,
  without: () => AnswerHook | undefined,
): AnswerHook | undefined {
  const merge = moved.length === 0 ? undefined : without()
  if (delayMs === 0) return merge
  return async (answer) => {
    await merge?.(answer)
    await sleep(delayMs, undefined, { ref: false })
  }
}

/** What becomes of a request. */
interface Due<Topic> {
  readonly delayMs: number
  readonly moved: readonly Topic[]
  readonly kept: readonly Topic[]
}

/** Undefined where nothing happens to it. Throws `fault_injected` where the connection is to end. */
function thrown<Topic extends TopicRef>(
  direction: Direction,
  topics: readonly Topic[],
  { snapshots, topicIds, metrics }: FaultOptions,
): Due<Topic> | undefined {
  const { topicByName } = snapshots.current()
  let moved: readonly Topic[] = NOTHING
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
      moved = [...moved, topic]
    }
    if (fault.delay !== undefined && isDue(fault.delay.percent)) {
      made('delay')
      delayMs = Math.max(delayMs, fault.delay.fixedMs)
    }
  }
  if (delayMs === 0 && moved.length === 0) return undefined
  return { delayMs, moved, kept: topics.filter((topic) => !moved.includes(topic)) }
}

const NOTHING: readonly never[] = []

const concerns = ({ operations }: TopicFault, direction: Direction): boolean =>
  operations === undefined || operations.includes(direction)

const isDue = (percent = 0): boolean => percent > 0 && Math.random() * 100 < percent
