/**
 * Trace contexts in the records of a Produce request: a sampled record gets a span `send T`, whose id takes the place of its parent's; a record without
 * a context gets one, sampled or not.
 */
import type { Span, Tracer } from '@opentelemetry/api'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import { formatTraceparent, TRACEPARENT_BYTES, writeUnsampled } from '@weft/schemas/trace-context'
import { packLike, unpackedBatch } from '../compression.ts'
import type { ProducePartition } from '../wire/00-produce.ts'
import { type Batch, batches, checksumOf, isIntact } from '../wire/record-batch.ts'
import { addHeader, patchBatch } from '../wire/record-rewrite.ts'
import { visitRecords } from '../wire/records.ts'
import { idsOf, type RecordOf, startSend } from './spans.ts'
import type { TopicIds } from './topic-ids.ts'
import { sampledContext, spanIdAt, TRACEPARENT } from './traceparent.ts'

export interface TraceOptions {
  readonly tracer: Tracer
  readonly snapshots: SnapshotSource
  readonly topicIds: TopicIds
}

/** Kafka's default of message.max.bytes, for topics that the mesh has no Topic resource of. */
const DEFAULT_MAX_BATCH_BYTES = 1_048_588
/** Lengths, key and value of the header that is added. */
const ADDED_BYTES = TRACEPARENT.length + TRACEPARENT_BYTES + 4

/** The span of a record that is on its way. */
export interface Sending extends RecordOf {
  readonly offsetDelta: number
  readonly span: Span
}

/** Works on the batches of one partition. */
export class Injector {
  readonly #tracer: Tracer
  readonly #samplingRatio: number
  readonly #maxBatchBytes: number
  readonly #unpacks: boolean
  readonly #record: RecordOf
  readonly #sending: Sending[]
  readonly #allocate: (bytes: number) => Buffer

  constructor(
    { tracer, snapshots }: TraceOptions,
    record: RecordOf,
    { sending, allocate }: { sending: Sending[]; allocate: (bytes: number) => Buffer },
  ) {
    const { snapshot, topicByName } = snapshots.current()
    const topic = topicByName.get(record.topic)
    this.#tracer = tracer
    this.#samplingRatio = snapshot.samplingRatio
    this.#maxBatchBytes = topic?.maxMessageBytes ?? DEFAULT_MAX_BATCH_BYTES
    this.#unpacks = topic?.trace === 'always'
    this.#record = record
    this.#sending = sending
    this.#allocate = allocate
  }

  /** The partition's records anew; undefined where they stay where they are (span ids may be changed in place). */
  run(frame: Buffer, { recordsFrom, recordsTo }: ProducePartition): readonly Buffer[] | undefined {
    const pieces: Buffer[] = []
    let at = recordsFrom
    for (const batch of batches(frame, recordsFrom, recordsTo)) {
      if (batch.isControl) continue
      const longer = batch.isCompressed
        ? this.#injectPacked(frame, batch)
        : this.#inject(frame, batch, this.#maxBatchBytes)
      if (longer === undefined) continue
      pieces.push(frame.subarray(at, batch.from), longer)
      at = batch.to
    }
    if (pieces.length === 0) return undefined
    pieces.push(frame.subarray(at, recordsTo))
    return pieces.filter(({ length }) => length > 0)
  }

  /** What cannot be unpacked is the broker's to judge. */
  #injectPacked(frame: Buffer, batch: Batch): Buffer | undefined {
    if (!this.#unpacks || !isIntact(frame, batch)) return undefined
    const unpacked = unpackedBatch(frame, batch)
    if (unpacked === undefined) return undefined
    const before = checksumOf(unpacked.bytes)
    const longer = this.#inject(unpacked.bytes, unpacked.batch, Number.POSITIVE_INFINITY)
    if (longer === undefined && checksumOf(unpacked.bytes) === before) return undefined
    const packed = packLike(frame, batch, longer ?? unpacked.bytes)
    return packed.length > this.#maxBatchBytes ? undefined : packed
  }

  #inject(frame: Buffer, batch: Batch, maxBytes: number): Buffer | undefined {
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
    if (!isWhole || lacking === 0 || batch.to - batch.from + lacking * ADDED_BYTES > maxBytes)
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
