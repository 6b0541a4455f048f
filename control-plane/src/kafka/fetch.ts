import type { Consumer } from '@platformatic/kafka'

/** Where a partition is, and from which record on it is read. */
export interface Place {
  readonly topicId: string
  /** The broker that leads it. */
  readonly node: number
  readonly partition: number
  readonly offset: bigint
}

export interface FetchLimits {
  /** How long the broker waits where there is nothing. */
  readonly maxWaitMs: number
  readonly maxBytes: number
}

type Fetched = Awaited<ReturnType<Consumer['fetch']>>['responses'][number]['partitions'][number]

const READ_COMMITTED = 1

/** One fetch of one partition, without a group, up to the last stable offset. Rejects with what the broker says. */
export async function fetchPartition(
  consumer: Consumer,
  { topicId, node, partition, offset }: Place,
  { maxWaitMs, maxBytes }: FetchLimits,
): Promise<Fetched | undefined> {
  const { responses } = await consumer.fetch({
    node,
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: READ_COMMITTED,
    topics: [
      {
        topicId,
        partitions: [
          {
            partition,
            fetchOffset: offset,
            currentLeaderEpoch: -1,
            lastFetchedEpoch: -1,
            partitionMaxBytes: maxBytes,
          },
        ],
      },
    ],
  })
  return responses[0]?.partitions[0]
}
