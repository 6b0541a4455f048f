/** Reads a topic from its beginning to where it ends now, without a group. */
import { type BaseOptions, Consumer, ListOffsetTimestamps } from '@platformatic/kafka'

export interface StoredRecord {
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer])[]
}

const MAX_WAIT_MS = 500
const MAX_BYTES = 1024 * 1024
const READ_COMMITTED = 1
/** KIP-98: a batch of markers of transactions, no records. */
const CONTROL_BATCH = 0x20

/** Calls `each` with every record; partition by partition, in order. Rejects with what the broker says; a topic that is not there has none. */
export async function readTopic(
  connection: BaseOptions,
  topic: string,
  each: (record: StoredRecord) => void,
): Promise<void> {
  const consumer = new Consumer({ ...connection, groupId: 'weft-dead-letters' })
  try {
    const metadata = await consumer.metadata({ topics: [topic], autocreateTopics: false })
    const layout = metadata.topics.get(topic)
    if (layout === undefined) return
    const ends = await logLimits(consumer, topic, ListOffsetTimestamps.LATEST)
    const starts = await logLimits(consumer, topic, ListOffsetTimestamps.EARLIEST)
    for (let partition = 0; partition < layout.partitionsCount; partition++) {
      const node = layout.partitions[partition]?.leader ?? -1
      await readPartition(
        consumer,
        { topicId: layout.id, node, partition, from: starts[partition] ?? 0n, to: ends[partition] ?? 0n },
        each,
      )
    }
  } finally {
    await consumer.close(true)
  }
}

const logLimits = async (consumer: Consumer, topic: string, timestamp: bigint): Promise<readonly bigint[]> =>
  (await consumer.listOffsets({ topics: [topic], timestamp })).get(topic) ?? []

interface Stretch {
  readonly topicId: string
  readonly node: number
  readonly partition: number
  readonly from: bigint
  readonly to: bigint
}

async function readPartition(
  consumer: Consumer,
  { topicId, node, partition, from, to }: Stretch,
  each: (record: StoredRecord) => void,
): Promise<void> {
  for (let at = from; at < to; ) {
    const { responses } = await consumer.fetch({
      node,
      maxWaitTime: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: [
        {
          topicId,
          partitions: [
            {
              partition,
              fetchOffset: at,
              currentLeaderEpoch: -1,
              lastFetchedEpoch: -1,
              partitionMaxBytes: MAX_BYTES,
            },
          ],
        },
      ],
    })
    const batches = responses[0]?.partitions[0]?.records ?? []
    const last = batches.at(-1)
    // Nothing there although the log goes on: held back by a transaction that is open.
    if (last === undefined) return
    for (const batch of batches) {
      if ((batch.attributes & CONTROL_BATCH) !== 0) continue
      for (const raw of batch.records) {
        const offset = batch.firstOffset + BigInt(raw.offsetDelta)
        if (offset < at || offset >= to) continue
        each({
          partition,
          offset,
          timestampMs: Number(batch.firstTimestamp + raw.timestampDelta),
          key: raw.key,
          value: raw.value,
          headers: raw.headers.map(([name, value]) => [
            name?.toString('utf8') ?? '',
            value ?? Buffer.alloc(0),
          ]),
        })
      }
    }
    at = last.firstOffset + BigInt(last.lastOffsetDelta) + 1n
  }
}
