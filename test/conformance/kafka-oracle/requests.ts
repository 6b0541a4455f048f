/** One or more requests of every API, each in the form that its version has. */
import { PRODUCE } from '../../../broker-bridge/src/wire/00-produce.ts'
import { FETCH } from '../../../broker-bridge/src/wire/01-fetch.ts'
import { LIST_OFFSETS } from '../../../broker-bridge/src/wire/02-list-offsets.ts'
import { METADATA } from '../../../broker-bridge/src/wire/03-metadata.ts'
import { OFFSET_FOR_LEADER_EPOCH } from '../../../broker-bridge/src/wire/23-offset-for-leader-epoch.ts'
import { DESCRIBE_CLUSTER } from '../../../broker-bridge/src/wire/60-describe-cluster.ts'
import { DESCRIBE_PRODUCERS } from '../../../broker-bridge/src/wire/61-describe-producers.ts'
import { DESCRIBE_TOPIC_PARTITIONS } from '../../../broker-bridge/src/wire/75-describe-topic-partitions.ts'
import type { Api } from '../../../broker-bridge/src/wire/api.ts'
import { NO_TOPIC_ID } from '../../../broker-bridge/src/wire/codec.ts'
import { oneRecord } from './batch.ts'
import { TOPICS } from './principals.ts'

export interface Asking {
  readonly version: number
  /** Names that both sides use apart end in this: what one of them makes must not be there for the other. */
  readonly own: string
  readonly idOf: (topic: string) => Buffer
}

export interface Case {
  readonly api: Api
  readonly what: string
  readonly message: (asking: Asking) => unknown
  /** Members of the answer that are not compared, for a reason that stands with the case. */
  readonly except: readonly string[]
}

/** A request in which all else is as it is by default. */
export function ask<Request>(
  api: Api<Request, unknown>,
  what: string,
  part: (asking: Asking) => Partial<Request>,
  except: readonly string[] = [],
): Case {
  return {
    except,
    api: api as Api,
    what,
    message: (asking) => ({ ...api.request.absent, ...part(asking) }),
  }
}

export const ALL = [...Object.keys(TOPICS), 'missing']

/** By name, or by id where the version has those only. */
export const named = (name: string, { version, idOf }: Asking, idsFrom: number) =>
  version >= idsFrom ? { name: '', topicId: idOf(name) } : { name, topicId: NO_TOPIC_ID }

const fetchPartition = {
  index: 0,
  currentLeaderEpoch: -1,
  fetchOffset: 0n,
  lastFetchedEpoch: -1,
  logStartOffset: -1n,
  partitionMaxBytes: 1_000_000,
  tags: [],
}

const fetchOf = (topics: readonly string[], asking: Asking) => ({
  replicaId: -1,
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: 1_000_000,
  topics: topics.map((name) => ({ ...named(name, asking, 13), partitions: [fetchPartition], tags: [] })),
})

const produceOf = (topics: readonly string[], asking: Asking) => ({
  acks: 1,
  timeoutMs: 5_000,
  topics: topics.map((name) => ({
    ...named(name, asking, 13),
    partitions: [{ index: 0, records: oneRecord(), tags: [] }],
    tags: [],
  })),
})

const metadataOf = (topics: readonly string[] | null) => ({
  topics: topics?.map((name) => ({ name, topicId: NO_TOPIC_ID, tags: [] })) ?? null,
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: true,
  includeTopicAuthorizedOperations: true,
})

export const TOPIC_CASES: readonly Case[] = [
  ask(METADATA, 'all topics', () => metadataOf(null)),
  ask(METADATA, 'named topics', () => metadataOf(ALL)),
  ask(PRODUCE, 'one topic', (asking) => produceOf(['both'], asking)),
  ask(PRODUCE, 'some permitted', (asking) => produceOf(Object.keys(TOPICS), asking)),
  ask(PRODUCE, 'a transaction of somebody else', (asking) => ({
    ...produceOf(['both'], asking),
    transactionalId: asking.version >= 3 ? 'theirs' : null,
    acks: -1,
  })),
  ask(FETCH, 'one topic', (asking) => fetchOf(['both'], asking)),
  ask(FETCH, 'some permitted', (asking) => fetchOf(Object.keys(TOPICS), asking)),
  ask(FETCH, 'none permitted', (asking) => fetchOf(['secret'], asking)),
  ask(LIST_OFFSETS, 'some permitted', () => ({
    replicaId: -1,
    topics: ALL.map((name) => ({
      name,
      partitions: [{ index: 0, currentLeaderEpoch: -1, timestamp: -1n, tags: [] }],
      tags: [],
    })),
  })),
  ask(OFFSET_FOR_LEADER_EPOCH, 'some permitted', () => ({
    replicaId: -1,
    topics: ALL.map((name) => ({
      name,
      partitions: [{ index: 0, currentLeaderEpoch: -1, leaderEpoch: 0, tags: [] }],
      tags: [],
    })),
  })),
  ask(DESCRIBE_TOPIC_PARTITIONS, 'all topics', () => ({})),
  ask(DESCRIBE_TOPIC_PARTITIONS, 'named topics', () => ({
    topics: ALL.toSorted().map((name) => ({ name, tags: [] })),
  })),
  ask(DESCRIBE_PRODUCERS, 'some permitted', () => ({
    topics: ALL.map((name) => ({ name, partitionIndexes: [0], tags: [] })),
  })),
  ask(DESCRIBE_CLUSTER, 'with operations', () => ({ includeClusterAuthorizedOperations: true })),
]
