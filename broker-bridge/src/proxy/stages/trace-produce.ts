/**
 * Produce: a sampled record gets a span `send T`, whose id takes the place of its parent's in the record; a record
 * without a context gets one, sampled or not. Compressed batches pass as they are.
 */
import type { Span, Tracer } from '@opentelemetry/api'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import { formatTraceparent, TRACEPARENT_BYTES, writeUnsampled } from '@weft/schemas/trace-context'
import {
  PRODUCE,
  type ProducePartition,
  producedLayout,
  produceLayout,
  type ReplacedRecords,
  withRecords,
} from '../../wire/00-produce.ts'
import { type Batch, batches, isIntact } from '../../wire/record-batch.ts'
import { addHeader, patchBatch } from '../../wire/record-rewrite.ts'
import { visitRecords } from '../../wire/records.ts'
import type { Answer, Exchange, Stage } from '../exchange.ts'
import { endSend, idsOf, type RecordOf, startSend } from '../spans.ts'
import type { TopicIds } from '../topic-ids.ts'
import { sampledContext, spanIdAt, TRACEPARENT } from '../traceparent.ts'

export interface TraceOptions {
  readonly tracer: Tracer
  readonly snapshots: SnapshotSource
  readonly topicIds: TopicIds
}

/** Kafka's default of message.max.bytes, for topics that the mesh has no Topic resource of. */
const DEFAULT_MAX_BATCH_BYTES = 1_048_588
/** Lengths, key and value of the header that is added. */
const ADDED_BYTES = TRACEPARENT.length + TRACEPARENT_BYTES + 4

interface Sending extends RecordOf {
  readonly offsetDelta: number
  readonly span: Span
}

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
  for (const asked of exchange.layout(produceLayout).topics) {
    const topic = options.topicIds.nameOf(asked) ?? ''
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

/** Works on the batches of one partition. */
class Injector {
  readonly #tracer: Tracer
  readonly #samplingRatio: number
  readonly #maxBatchBytes: number
  readonly #record: RecordOf
  readonly #sending: Sending[]
  readonly #allocate: (bytes: number) => Buffer

  constructor(
    { tracer, snapshots }: TraceOptions,
    record: RecordOf,
    { sending, allocate }: { sending: Sending[]; allocate: (bytes: number) => Buffer },
  ) {
    const { snapshot, topicByName } = snapshots.current()
    this.#tracer = tracer
    this.#samplingRatio = snapshot.samplingRatio
    this.#maxBatchBytes = topicByName.get(record.topic)?.maxMessageBytes ?? DEFAULT_MAX_BATCH_BYTES
    this.#record = record
    this.#sending = sending
    this.#allocate = allocate
  }

  /** The partition's records anew; undefined where they stay where they are (span ids may be changed in place). */
  run(frame: Buffer, { recordsFrom, recordsTo }: ProducePartition): readonly Buffer[] | undefined {
    const pieces: Buffer[] = []
    let at = recordsFrom
    for (const batch of batches(frame, recordsFrom, recordsTo)) {
      if (batch.isCompressed || batch.isControl) continue
      const longer = this.#inject(frame, batch)
      if (longer === undefined) continue
      pieces.push(frame.subarray(at, batch.from), longer)
      at = batch.to
    }
    if (pieces.length === 0) return undefined
    pieces.push(frame.subarray(at, recordsTo))
    return pieces.filter(({ length }) => length > 0)
  }

  #inject(frame: Buffer, batch: Batch): Buffer | undefined {
    let lacking = 0
    const isWhole = visitRecords(frame, batch, TRACEPARENT, (record) => {
      if (record.valueAt === -1) lacking++
      const parent = sampledContext(frame, record)
      if (parent === undefined) return
      const span = startSend(this.#tracer, this.#record, parent)
      this.#sending.push({ ...this.#record, offsetDelta: record.offsetDelta, span })
      const ids = idsOf(span)
      if (ids !== undefined)
        patchBatch(frame, batch, spanIdAt(record.valueAt), Buffer.from(ids.spanId, 'latin1'))
    })
    // A batch that would grow beyond what the topic takes goes without: a trace must not cost the record.
    if (!isWhole || lacking === 0 || batch.to - batch.from + lacking * ADDED_BYTES > this.#maxBatchBytes)
      return undefined
    // The checksum is made anew: damage that came with the batch must stay visible to the broker.
    if (!isIntact(frame, batch)) return undefined
    return addHeader(frame, batch, {
      key: TRACEPARENT,
      valueBytes: TRACEPARENT_BYTES,
      allocate: this.#allocate,
      writeValue: (target, at, { offsetDelta }) => this.#writeNew(target, at, offsetDelta),
    })
  }

  #writeNew(target: Buffer, at: number, offsetDelta: number): void {
    if (this.#samplingRatio > 0 && Math.random() < this.#samplingRatio) {
      const span = startSend(this.#tracer, this.#record, undefined)
      this.#sending.push({ ...this.#record, offsetDelta, span })
      const ids = idsOf(span)
      if (ids !== undefined) {
        target.write(formatTraceparent({ ...ids, sampled: true }), at, 'latin1')
        return
      }
    }
    writeUnsampled(target, at)
  }
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
