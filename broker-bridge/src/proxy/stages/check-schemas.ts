/**
 * Produce to topics with a schema: a partition whose records are not of it is refused as a whole, with INVALID_RECORD and which of them (KIP-467); the
 * others go on. Packed batches are unpacked to be looked at, and go on as they came.
 */
import type { SnapshotSource, TopicSchema } from '@weft/schemas/snapshot'
import { unpack } from '../../compression.ts'
import { codecOf } from '../../schema/index.ts'
import {
  PRODUCE,
  type ProducePartition,
  type ProduceResponse,
  type ProduceTopic,
  produceLayout,
} from '../../wire/00-produce.ts'
import { decodeRequest } from '../../wire/api.ts'
import { KAFKA_ERROR, NO_OFFSET } from '../../wire/error-codes.ts'
import { readBatch } from '../../wire/read-batch.ts'
import { type Batch, batches, isIntact } from '../../wire/record-batch.ts'
import type { AnswerHook, Exchange, Stage } from '../exchange.ts'
import type { Tally } from '../tally.ts'
import { type TopicIds, topicKey } from '../topic-ids.ts'
import { inClientOrder } from './authorize/merge.ts'

export interface CheckSchemasOptions {
  readonly snapshots: SnapshotSource
  readonly topicIds: TopicIds
  readonly tally: Tally
}

/** Enough to find the fault by. */
const MAX_RECORD_ERRORS = 10

interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

interface Refused {
  readonly topic: ProduceTopic
  readonly partition: ProducePartition
  readonly errors: readonly RecordError[]
}

export function checkSchemas(options: CheckSchemasOptions): Stage {
  return (exchange) => {
    if (exchange.api !== PRODUCE || !exchange.isForwarded) return undefined
    const { topicByName } = options.snapshots.current()
    const refused: Refused[] = []
    for (const topic of exchange.layout(produceLayout).topics) {
      const schema = topicByName.get(options.topicIds.nameOf(topic) ?? '')?.schema
      if (schema === undefined || schema.validation === 'none') continue
      for (const partition of topic.partitions) {
        const errors = errorsOf(exchange.frame, partition, schema)
        if (errors.length > 0) refused.push({ topic, partition, errors })
      }
    }
    return refused.length === 0 ? undefined : refuse(exchange, refused, options)
  }
}

function errorsOf(
  frame: Buffer,
  { recordsFrom, recordsTo }: ProducePartition,
  schema: TopicSchema,
): readonly RecordError[] {
  const codec = codecOf(schema)
  const errors: RecordError[] = []
  let read = 0
  let index = 0
  for (const batch of batches(frame, recordsFrom, recordsTo)) {
    read += batch.to - batch.from
    for (const value of valuesIn(frame, batch)) {
      const fault = value === null ? undefined : codec.faultOf(value)
      if (fault !== undefined && errors.length < MAX_RECORD_ERRORS)
        errors.push({ batchIndex: index, message: fault })
      index++
    }
    // What was damaged on its way is for the broker to say.
    if (errors.length > 0 && !isIntact(frame, batch)) return []
  }
  // Of a format that is not looked into, so nobody could say what is in it.
  if (read < recordsTo - recordsFrom)
    return [{ batchIndex: 0, message: 'expected record batches of format 2' }]
  return errors
}

/** Of a batch that cannot be read there is one value, which is of no schema. */
function valuesIn(frame: Buffer, batch: Batch): readonly (Buffer | null)[] {
  try {
    if (!batch.isCompressed) return readBatch(frame, batch).map(({ value }) => value)
    const whole = unpack(frame, batch)
    return readBatch(whole, { from: 0, to: whole.length }).map(({ value }) => value)
  } catch {
    return [UNREADABLE]
  }
}

const UNREADABLE = Buffer.alloc(0)

interface RefusedPartition {
  readonly topic: ProduceTopic
  readonly answer: ReturnType<typeof answerOf>
}

function refuse(
  exchange: Exchange,
  refused: readonly Refused[],
  { tally, topicIds }: CheckSchemasOptions,
): AnswerHook | undefined {
  for (const { topic, partition } of refused)
    tally.produceRefused(exchange.frame, topicIds.nameOf(topic) ?? '', { ...topic, partitions: [partition] })
  const answers = refused.map(({ topic, partition, errors }) => ({
    topic,
    answer: answerOf(partition, errors),
  }))
  const order = exchange.layout(produceLayout).topics.map(topicKey)
  const isLeft = cutOut(exchange, refused)
  if (!exchange.expectsAnswer) {
    exchange.closesConnection = true
    exchange.isForwarded = isLeft
    return undefined
  }
  if (!isLeft) {
    exchange.answer(PRODUCE, { topics: withRefused(order, [], answers), throttleTimeMs: 0, tags: [] })
    return undefined
  }
  return (answer) => {
    const message = answer.message(PRODUCE)
    message.topics = withRefused(order, message.topics, answers)
    answer.changed()
    return undefined
  }
}

/** True where something is left of the request. */
function cutOut(exchange: Exchange, refused: readonly Refused[]): boolean {
  const gone = new Set(refused.map(({ topic, partition }) => `${topicKey(topic)} ${partition.index}`))
  const request = decodeRequest(PRODUCE, exchange.frame, exchange.place)
  const topics = request.topics.flatMap((topic) => {
    const partitions = topic.partitions.filter(({ index }) => !gone.has(`${topicKey(topic)} ${index}`))
    return partitions.length === 0 ? [] : [{ ...topic, partitions }]
  })
  exchange.write(PRODUCE, { ...request, topics })
  return topics.length > 0
}

type AnsweredTopics = ProduceResponse['topics']

/** The answer of the broker with what it was not asked, topics in the client's order. */
function withRefused(
  order: readonly string[],
  answered: AnsweredTopics,
  refused: readonly RefusedPartition[],
): AnsweredTopics {
  const topics = answered.map((topic) => ({ ...topic, partitions: [...topic.partitions] }))
  for (const { topic, answer } of refused) {
    const known = topics.find((one) => topicKey(one) === topicKey(topic))
    if (known === undefined)
      topics.push({ name: topic.name, topicId: topic.topicId, partitions: [answer], tags: [] })
    else known.partitions.push(answer)
  }
  return inClientOrder(order, topics, topicKey)
}

const answerOf = ({ index }: ProducePartition, errors: readonly RecordError[]) => ({
  index,
  errorCode: KAFKA_ERROR.invalidRecord,
  baseOffset: NO_OFFSET,
  logAppendTimeMs: NO_OFFSET,
  logStartOffset: NO_OFFSET,
  recordErrors: errors.map((error) => ({ ...error, tags: [] })),
  errorMessage: `not of the schema of the topic: ${errors[0]?.message ?? ''}`,
  tags: [],
})
