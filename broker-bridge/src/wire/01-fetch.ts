/**
 * Fetch, versions 4 to 18. 4: isolation level, aborted transactions · 5: log start offset · 7: fetch sessions (KIP-227) ·
 * 9: leader epoch · 10: zstd · 11: rack, preferred replica · 12: flexible, last fetched epoch ·
 * 13: topic ids in place of names (KIP-516) · 15: the replica in a tagged field · 16: new leaders (tagged) · 17, 18: for replicas.
 */
import { type Api, type BodyPlace, isFlexible } from './api.ts'
import {
  array,
  int8,
  int16,
  int32,
  int64,
  NO_TOPIC_ID,
  nullableArray,
  nullableBytes,
  type Of,
  since,
  string,
  struct,
  until,
  uuid,
} from './codec.ts'
import { NO_EPOCH, NO_OFFSET } from './error-codes.ts'
import { Reader, type Tag } from './reader.ts'

/** `replicaId` of a consumer. */
const NO_REPLICA = -1
/** Tagged field of the request from version 15: the replica that fetches, its id first. */
const REPLICA_STATE_TAG = 1

const request = struct({
  replicaId: until(14, since(0, int32, NO_REPLICA)),
  maxWaitMs: int32,
  minBytes: int32,
  maxBytes: since(3, int32, 0x7fff_ffff),
  isolationLevel: since(4, int8),
  sessionId: since(7, int32),
  sessionEpoch: since(7, int32, -1),
  topics: array(
    struct({
      name: until(12, string),
      topicId: since(13, uuid),
      partitions: array(
        struct({
          index: int32,
          currentLeaderEpoch: since(9, int32, NO_EPOCH),
          fetchOffset: int64,
          lastFetchedEpoch: since(12, int32, NO_EPOCH),
          logStartOffset: since(5, int64, NO_OFFSET),
          partitionMaxBytes: int32,
        }),
      ),
    }),
  ),
  forgottenTopics: since(
    7,
    array(struct({ name: until(12, string), topicId: since(13, uuid), partitions: array(int32) })),
  ),
  rackId: since(11, string),
})

const response = struct({
  throttleTimeMs: since(1, int32),
  errorCode: since(7, int16),
  sessionId: since(7, int32),
  topics: array(
    struct({
      name: until(12, string),
      topicId: since(13, uuid),
      partitions: array(
        struct({
          index: int32,
          errorCode: int16,
          highWatermark: int64,
          lastStableOffset: since(4, int64, NO_OFFSET),
          logStartOffset: since(5, int64, NO_OFFSET),
          abortedTransactions: since(4, nullableArray(struct({ producerId: int64, firstOffset: int64 }))),
          preferredReadReplica: since(11, int32, -1),
          records: nullableBytes,
        }),
      ),
    }),
  ),
})

export const FETCH: Api<Of<typeof request>, Of<typeof response>> = {
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexibleFrom: 12,
  request,
  response,
}

/** Tagged field of the answer from version 16: addresses of new leaders. */
export const FETCH_NODE_ENDPOINTS_TAG = 0

/** Session epoch of a request that wants no session. */
export const NO_SESSION_EPOCH = -1

/** Where the parts of a Fetch request lie in its frame. */
export interface FetchLayout {
  readonly replicaId: number
  readonly sessionId: number
  readonly sessionEpoch: number
  /** int32 session id, then int32 epoch; undefined before version 7. */
  readonly sessionAt: number | undefined
  readonly topicsFrom: number
  readonly topicsTo: number
  readonly topics: readonly FetchTopic[]
}

/** By name, or from version 13 by id. */
export interface FetchTopic {
  readonly name: string
  readonly topicId: Buffer
  readonly from: number
  readonly to: number
  readonly partitions: readonly number[]
  /** First offset that is asked for, by place in `partitions`. */
  readonly offsets: readonly number[]
}

/** Walks a Fetch request once. Throws `invalid_request`. */
export function fetchLayout(frame: Buffer, { version, bodyAt }: BodyPlace): FetchLayout {
  const flexible = isFlexible(FETCH, version)
  const reader = Reader.ofRequest(frame, bodyAt)
  const replicaId = version < 15 ? reader.int32() : NO_REPLICA
  reader.skip(4 + 4 + 4 + 1) // longest wait, least bytes, most bytes, isolation level
  const sessionAt = version >= 7 ? reader.at : undefined
  const sessionId = version >= 7 ? reader.int32() : 0
  const sessionEpoch = version >= 7 ? reader.int32() : NO_SESSION_EPOCH
  const topics: FetchTopic[] = []
  const topicsFrom = reader.at
  for (let left = reader.count(flexible); left > 0; left--) topics.push(fetchTopic(reader, version, flexible))
  const topicsTo = reader.at
  if (version >= 7) {
    for (let left = reader.count(flexible); left > 0; left--) {
      if (version < 13) reader.string(flexible)
      else reader.uuid()
      reader.skip(4 * Math.max(0, reader.count(flexible)))
      if (flexible) reader.skipTags()
    }
  }
  if (version >= 11) reader.string(flexible)
  if (!flexible) return { replicaId, sessionId, sessionEpoch, sessionAt, topicsFrom, topicsTo, topics }
  return {
    replicaId: version < 15 ? replicaId : replicaOf(reader.tags()),
    sessionId,
    sessionEpoch,
    sessionAt,
    topicsFrom,
    topicsTo,
    topics,
  }
}

function replicaOf(tags: readonly Tag[]): number {
  const state = tags.find(({ tag }) => tag === REPLICA_STATE_TAG)
  return state === undefined ? NO_REPLICA : new Reader(state.bytes).int32()
}

function fetchTopic(reader: Reader, version: number, flexible: boolean): FetchTopic {
  const from = reader.at
  const name = version < 13 ? reader.string(flexible) : ''
  const topicId = version < 13 ? NO_TOPIC_ID : reader.uuid()
  const partitions: number[] = []
  const offsets: number[] = []
  for (let left = reader.count(flexible); left > 0; left--) {
    partitions.push(reader.int32())
    if (version >= 9) reader.skip(4)
    offsets.push(reader.offset())
    if (version >= 12) reader.skip(4)
    if (version >= 5) reader.skip(8)
    reader.skip(4)
    if (flexible) reader.skipTags()
  }
  if (flexible) reader.skipTags()
  return { name, topicId, from, to: reader.at, partitions, offsets }
}

/** What a Fetch answer brings, topic by topic; records stay where they lie. */
export interface FetchedLayout {
  readonly topics: readonly FetchedTopic[]
  /** Whether tagged fields follow: new leaders, for one. */
  readonly hasTags: boolean
}

export interface FetchedTopic {
  readonly name: string
  readonly topicId: Buffer
  readonly partitions: readonly FetchedPartition[]
}

export interface FetchedPartition {
  readonly index: number
  readonly errorCode: number
  /** Offset after the last record that may be read; -1 where it is not known. */
  readonly highWatermark: number
  readonly recordsFrom: number
  readonly recordsTo: number
  /** Producers with an aborted transaction in these records; undefined where there is none. */
  readonly abortedProducers: ReadonlySet<bigint> | undefined
}

/** Walks a Fetch answer once. Throws `invalid_request`. */
export function fetchedLayout(frame: Buffer, { version, bodyAt }: BodyPlace): FetchedLayout {
  const flexible = isFlexible(FETCH, version)
  const reader = new Reader(frame, bodyAt)
  reader.skip(4)
  if (version >= 7) reader.skip(2 + 4)
  const topics: FetchedTopic[] = []
  for (let left = reader.count(flexible); left > 0; left--) {
    const name = version < 13 ? reader.string(flexible) : ''
    const topicId = version < 13 ? NO_TOPIC_ID : reader.uuid()
    const partitions: FetchedPartition[] = []
    for (let more = reader.count(flexible); more > 0; more--)
      partitions.push(fetchedPartition(reader, version, flexible))
    if (flexible) reader.skipTags()
    topics.push({ name, topicId, partitions })
  }
  return { topics, hasTags: flexible && reader.unsignedVarint() > 0 }
}

function fetchedPartition(reader: Reader, version: number, flexible: boolean): FetchedPartition {
  const index = reader.int32()
  const errorCode = reader.int16()
  const highWatermark = reader.offset()
  reader.skip(version >= 5 ? 8 + 8 : 8) // last stable offset, log start offset
  let abortedProducers: Set<bigint> | undefined
  for (let left = reader.count(flexible); left > 0; left--) {
    abortedProducers ??= new Set()
    abortedProducers.add(reader.int64())
    reader.skip(8)
    if (flexible) reader.skipTags()
  }
  if (version >= 11) reader.skip(4)
  const length = Math.max(0, reader.length(flexible, 4))
  const recordsFrom = reader.skip(length)
  if (flexible) reader.skipTags()
  return { index, errorCode, highWatermark, recordsFrom, recordsTo: recordsFrom + length, abortedProducers }
}
