/**
 * Produce, versions 0 to 13. 1, 2: throttle time, log append time · 3: transactional id, record batches v2 ·
 * 5: log start offset · 7: zstd · 8: errors by record · 9: flexible · 10: new leaders (tagged) · 11, 12: KIP-890 ·
 * 13: topic ids in place of names (KIP-516). Brokers from 4.0 answer from 3, but list 0 for old clients' sake (KAFKA-18659).
 */
import { type Api, type BodyPlace, isFlexible } from './api.ts'
import {
  array,
  int16,
  int32,
  int64,
  NO_TOPIC_ID,
  nullableBytes,
  nullableString,
  type Of,
  since,
  string,
  struct,
  until,
  uuid,
} from './codec.ts'
import { NO_OFFSET } from './error-codes.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

const request = struct({
  transactionalId: since(3, nullableString),
  acks: int16,
  timeoutMs: int32,
  topics: array(
    struct({
      name: until(12, string),
      topicId: since(13, uuid),
      partitions: array(struct({ index: int32, records: nullableBytes })),
    }),
  ),
})

const response = struct({
  topics: array(
    struct({
      name: until(12, string),
      topicId: since(13, uuid),
      partitions: array(
        struct({
          index: int32,
          errorCode: int16,
          baseOffset: int64,
          logAppendTimeMs: since(2, int64, NO_OFFSET),
          logStartOffset: since(5, int64, NO_OFFSET),
          recordErrors: since(8, array(struct({ batchIndex: int32, message: nullableString }))),
          errorMessage: since(8, nullableString),
        }),
      ),
    }),
  ),
  throttleTimeMs: since(1, int32),
})

export type ProduceResponse = Of<typeof response>

export const PRODUCE: Api<Of<typeof request>, ProduceResponse> = {
  key: 0,
  name: 'Produce',
  versions: [0, 13],
  flexibleFrom: 9,
  request,
  response,
}

/** Tagged field of the answer from version 10: addresses of new leaders. */
export const PRODUCE_NODE_ENDPOINTS_TAG = 0
export const NODE_ENDPOINTS = array(
  struct({ nodeId: int32, host: string, port: int32, rack: nullableString }),
)

/** Where the parts of a Produce request lie in its frame: what is decided about is read, record batches are not touched. */
export interface ProduceLayout {
  readonly transactionalId: string | null
  readonly acks: number
  readonly topicsFrom: number
  readonly topicsTo: number
  readonly topics: readonly ProduceTopic[]
}

/** By name, or from version 13 by id. */
export interface ProduceTopic {
  readonly name: string
  readonly topicId: Buffer
  readonly from: number
  readonly to: number
  readonly partitions: readonly ProducePartition[]
}

export interface ProducePartition {
  readonly index: number
  /** The length field of the records starts here. */
  readonly lengthAt: number
  readonly recordsFrom: number
  readonly recordsTo: number
}

/** Walks a Produce request once. Throws `invalid_request`. */
export function produceLayout(frame: Buffer, { version, bodyAt }: BodyPlace): ProduceLayout {
  const flexible = isFlexible(PRODUCE, version)
  const reader = Reader.ofRequest(frame, bodyAt)
  const transactionalId = version >= 3 ? reader.nullableString(flexible) : null
  const acks = reader.int16()
  reader.int32()
  const topics: ProduceTopic[] = []
  const topicsFrom = reader.at
  for (let left = reader.count(flexible); left > 0; left--) {
    const from = reader.at
    const name = version < 13 ? reader.string(flexible) : ''
    const topicId = version < 13 ? NO_TOPIC_ID : reader.uuid()
    const partitions: ProducePartition[] = []
    for (let more = reader.count(flexible); more > 0; more--) {
      const index = reader.int32()
      const lengthAt = reader.at
      const length = Math.max(0, reader.length(flexible, 4))
      const recordsFrom = reader.skip(length)
      if (flexible) reader.skipTags()
      partitions.push({ index, lengthAt, recordsFrom, recordsTo: recordsFrom + length })
    }
    if (flexible) reader.skipTags()
    topics.push({ name, topicId, from, to: reader.at, partitions })
  }
  const topicsTo = reader.at
  if (flexible) reader.skipTags()
  return { transactionalId, acks, topicsFrom, topicsTo, topics }
}

/** What a Produce answer says, topic by topic. */
export interface ProducedLayout {
  readonly topics: readonly ProducedTopic[]
  /** Of the throttle time, an int32; undefined in version 0, which has none. */
  readonly throttleAt: number | undefined
  /** Whether tagged fields follow: new leaders, for one. */
  readonly hasTags: boolean
}

export interface ProducedTopic {
  readonly name: string
  readonly topicId: Buffer
  readonly partitions: readonly ProducedPartition[]
}

export interface ProducedPartition {
  readonly index: number
  readonly errorCode: number
  /** -1 where nothing was appended. */
  readonly baseOffset: number
}

/** Walks a Produce answer once. Throws `invalid_request`. */
export function producedLayout(frame: Buffer, { version, bodyAt }: BodyPlace): ProducedLayout {
  const flexible = isFlexible(PRODUCE, version)
  const reader = new Reader(frame, bodyAt)
  const topics: ProducedTopic[] = []
  for (let left = reader.count(flexible); left > 0; left--) {
    const name = version < 13 ? reader.string(flexible) : ''
    const topicId = version < 13 ? NO_TOPIC_ID : reader.uuid()
    const partitions: ProducedPartition[] = []
    for (let more = reader.count(flexible); more > 0; more--)
      partitions.push(producedPartition(reader, version, flexible))
    if (flexible) reader.skipTags()
    topics.push({ name, topicId, partitions })
  }
  const throttleAt = version >= 1 ? reader.skip(4) : undefined
  return { topics, throttleAt, hasTags: flexible && reader.unsignedVarint() > 0 }
}

function producedPartition(reader: Reader, version: number, flexible: boolean): ProducedPartition {
  const index = reader.int32()
  const errorCode = reader.int16()
  const baseOffset = reader.offset()
  if (version >= 2) reader.skip(8)
  if (version >= 5) reader.skip(8)
  if (version >= 8) {
    for (let left = reader.count(flexible); left > 0; left--) {
      reader.skip(4)
      reader.nullableString(flexible)
      if (flexible) reader.skipTags()
    }
    reader.nullableString(flexible)
  }
  if (flexible) reader.skipTags()
  return { index, errorCode, baseOffset }
}

/** Other records for some partitions, in the order of the frame; each in pieces that follow each other. */
export interface ReplacedRecords {
  readonly partition: ProducePartition
  readonly records: readonly Buffer[]
}

/** The request with other records in some partitions, as pieces to be written one after the other. Changes the frame's own length. */
export function withRecords(frame: Buffer, version: number, replaced: readonly ReplacedRecords[]): Buffer[] {
  const flexible = isFlexible(PRODUCE, version)
  const pieces: Buffer[] = []
  let at = 0
  for (const { partition, records } of replaced) {
    const length = new Writer()
    length.length(sizeOf(records), flexible, 4)
    pieces.push(frame.subarray(at, partition.lengthAt), length.bytes(), ...records)
    at = partition.recordsTo
  }
  pieces.push(frame.subarray(at))
  frame.writeInt32BE(sizeOf(pieces) - 4, 0)
  return pieces
}

const sizeOf = (pieces: readonly Buffer[]): number => pieces.reduce((size, piece) => size + piece.length, 0)
