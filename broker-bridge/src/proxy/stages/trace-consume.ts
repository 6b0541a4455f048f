/**
 * Fetch: each delivered record with a sampled context gets a span `process T`, a child of the span that sent it; its
 * id is written into the record, so that what the app does next is a child of it. OffsetCommit: ends those spans.
 * Control and aborted batches pass as they are, and so do records before the offset that was asked for. Compressed batches always pass as they
 * are: where the topic's `trace` is `always`, their records get spans, and what the app does next is a child of `send T`.
 */
import { DEFAULT_RECORD_TRACE } from '@weft/schemas/snapshot'
import { unpackedBatch } from '../../compression.ts'
import { FETCH, type FetchedPartition, fetchedLayout, fetchLayout } from '../../wire/01-fetch.ts'
import { OFFSET_COMMIT } from '../../wire/08-offset-commit.ts'
import { KAFKA_ERROR } from '../../wire/error-codes.ts'
import { type Batch, batches } from '../../wire/record-batch.ts'
import { patchBatch } from '../../wire/record-rewrite.ts'
import { visitRecords } from '../../wire/records.ts'
import { offsetAsked } from '../asked-offset.ts'
import type { Answer, AnswerHook, Exchange, Stage } from '../exchange.ts'
import type { TraceOptions } from '../inject-contexts.ts'
import type { OpenSpans } from '../open-spans.ts'
import { idsOf, startProcess } from '../spans.ts'
import { topicKey } from '../topic-ids.ts'
import { sampledContext, spanIdAt, TRACEPARENT } from '../traceparent.ts'

export interface TraceConsumeOptions extends TraceOptions {
  readonly openSpans: OpenSpans
  /** Stands for the client's connection. */
  readonly connection: object
}

/** Builds the stage. */
export function traceConsume(options: TraceConsumeOptions): Stage {
  return (exchange) => {
    if (exchange.api === FETCH) return onFetch(exchange, options)
    return exchange.api === OFFSET_COMMIT ? onCommit(exchange, options) : undefined
  }
}

function onFetch(exchange: Exchange, options: TraceConsumeOptions): AnswerHook {
  const asked = exchange.layout(fetchLayout).topics
  const clientId = exchange.header.clientId ?? ''
  return (answer) => {
    const { topicByName } = options.snapshots.current()
    for (const fetched of answer.layout(fetchedLayout).topics) {
      const name = options.topicIds.nameOf(fetched) ?? ''
      const trace = topicByName.get(name)?.trace ?? DEFAULT_RECORD_TRACE
      if (trace === 'never') continue
      for (const partition of fetched.partitions) {
        if (partition.recordsFrom === partition.recordsTo) continue
        const delivery = {
          topic: name,
          unpacks: trace === 'always',
          clientId,
          partition,
          fetchOffset: offsetAsked(asked, fetched, partition.index) ?? 0,
        }
        traceDelivery(answer.frame(), delivery, options)
      }
    }
    return undefined
  }
}

interface PartitionDelivery {
  readonly topic: string
  readonly unpacks: boolean
  readonly clientId: string
  readonly partition: FetchedPartition
  readonly fetchOffset: number
}

function traceDelivery(frame: Buffer, delivery: PartitionDelivery, options: TraceConsumeOptions): void {
  const { partition, unpacks } = delivery
  for (const batch of batches(frame, partition.recordsFrom, partition.recordsTo)) {
    if (batch.isControl || isAborted(batch, partition)) continue
    if (!batch.isCompressed) traceBatch(frame, batch, delivery, options)
    else if (unpacks) {
      const unpacked = unpackedBatch(frame, batch)
      if (unpacked !== undefined) traceBatch(unpacked.bytes, unpacked.batch, delivery, options)
    }
  }
}

function traceBatch(
  bytes: Buffer,
  batch: Batch,
  { topic, clientId, partition, fetchOffset }: PartitionDelivery,
  options: TraceConsumeOptions,
): void {
  visitRecords(bytes, batch, TRACEPARENT, (record) => {
    const parent = sampledContext(bytes, record)
    const offset = batch.baseOffset + record.offsetDelta
    if (parent === undefined || offset < fetchOffset) return
    const place = { topic, partition: partition.index, offset }
    const span = startProcess(options.tracer, place, parent)
    options.openSpans.add({ ...place, clientId }, span, options.connection)
    const ids = idsOf(span)
    if (ids !== undefined)
      patchBatch(bytes, batch, spanIdAt(record.valueAt), Buffer.from(ids.spanId, 'latin1'))
  })
}

/** A producer with an aborted transaction here: which of its batches are aborted is the client's to tell, so none is touched. */
const isAborted = (batch: Batch, { abortedProducers }: FetchedPartition): boolean =>
  batch.transactionalProducer !== undefined && abortedProducers?.has(batch.transactionalProducer) === true

function onCommit(exchange: Exchange, { openSpans, topicIds }: TraceConsumeOptions): AnswerHook | undefined {
  if (openSpans.size === 0) return undefined
  const { groupId, topics } = exchange.read(OFFSET_COMMIT)
  const clientId = exchange.header.clientId ?? ''
  return (answer: Answer) => {
    for (const topic of answer.message(OFFSET_COMMIT).topics) {
      const name = topicIds.nameOf(topic) ?? ''
      const asked = topics.find((each) => topicKey(each) === topicKey(topic))
      for (const { index, errorCode } of topic.partitions) {
        const commit = asked?.partitions.find((partition) => partition.index === index)
        if (errorCode !== KAFKA_ERROR.none || commit === undefined) continue
        const offset = Number(commit.committedOffset)
        openSpans.commit({ clientId, topic: name, partition: index, offset }, groupId)
      }
    }
    return undefined
  }
}
