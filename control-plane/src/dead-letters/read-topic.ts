/** Reads a topic from its beginning to where it ends now, without a group. */
import { type BaseOptions, Consumer } from '@platformatic/kafka'
import { Committed, endOf } from '../kafka/committed.ts'
import { fetchPartition } from '../kafka/fetch.ts'
import { EARLIEST, LATEST } from '../kafka/offsets.ts'
import { unlessUnknown } from '../kafka/unknown-topic.ts'

export interface StoredRecord {
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer])[]
}

const LIMITS = { maxWaitMs: 500, maxBytes: 1024 * 1024 } as const

/** Calls `each` with every record; partition by partition, in order. Rejects with what the broker says; a topic that is not there has none. */
export async function readTopic(
  connection: BaseOptions,
  topic: string,
  each: (record: StoredRecord) => void,
): Promise<void> {
  const consumer = new Consumer({ ...connection, groupId: 'weft-dead-letters' })
  try {
    const metadata = await unlessUnknown(consumer.metadata({ topics: [topic], autocreateTopics: false }))
    const layout = metadata?.topics.get(topic)
    if (layout === undefined) return
    const ends = await logLimits(consumer, topic, LATEST)
    const starts = await logLimits(consumer, topic, EARLIEST)
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
  const committed = new Committed()
  for (let at = from; at < to; ) {
    const part = await fetchPartition(consumer, { topicId, node, partition, offset: at }, LIMITS)
    const batches = part?.records ?? []
    const end = endOf(batches)
    // Nothing there although the log goes on: held back by a transaction that is open.
    if (end === undefined) return
    for (const { headers, ...record } of committed.records(batches, part?.abortedTransactions ?? [])) {
      if (record.offset < at || record.offset >= to) continue
      each({
        ...record,
        partition,
        headers: headers.map(([name, value]) => [name?.toString('utf8') ?? '', value ?? Buffer.alloc(0)]),
      })
    }
    at = end
  }
}
