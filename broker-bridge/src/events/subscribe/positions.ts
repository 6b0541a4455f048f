import type { Consumer } from '@platformatic/kafka'
import { kafkaClient } from '../kafka-client.ts'

/** Where a partition is read from, and what the group has on record for it. */
export interface Position {
  readonly start: bigint
  readonly committed: bigint | undefined
}

export interface PositionRequest {
  readonly consumer: Consumer
  readonly topic: string
  readonly partitions: readonly number[]
  readonly startAt: 'earliest' | 'latest'
}

/** After the last commit; where the group has none, at the start or the end of the log, as the subscription says. */
export async function findPositions(request: PositionRequest): Promise<ReadonlyMap<number, Position>> {
  const { consumer, topic, partitions, startAt } = request
  const commits = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [...partitions] }] })
  const committed = (partition: number): bigint | undefined => {
    const offset = commits.get(topic)?.[partition]
    return offset === undefined || offset < 0n ? undefined : offset
  }
  const without = partitions.filter((partition) => committed(partition) === undefined)
  const limits = without.length === 0 ? [] : await logLimit(request, without, startAt)
  return new Map(
    partitions.map((partition) => {
      const known = committed(partition)
      return [partition, { start: known ?? limits[partition] ?? 0n, committed: known }]
    }),
  )
}

/**
 * The position is not in the log. Before its start: retention was faster than the app, what is left is read from the start,
 * whatever `startAt` says. After its end: the topic was made anew or truncated, and `startAt` decides.
 */
export async function findPositionInLog(
  request: PositionRequest,
  partition: number,
  lost: bigint,
): Promise<Position> {
  const [earliest, latest] = await Promise.all([
    logLimit(request, [partition], 'earliest'),
    logLimit(request, [partition], 'latest'),
  ])
  const first = earliest[partition] ?? 0n
  const start = lost < first || request.startAt === 'earliest' ? first : (latest[partition] ?? first)
  return { start, committed: undefined }
}

async function logLimit(
  { consumer, topic }: PositionRequest,
  partitions: readonly number[],
  end: 'earliest' | 'latest',
): Promise<readonly bigint[]> {
  const { ListOffsetTimestamps } = kafkaClient()
  const timestamp = end === 'earliest' ? ListOffsetTimestamps.EARLIEST : ListOffsetTimestamps.LATEST
  const offsets = await consumer.listOffsets({
    topics: [topic],
    partitions: { [topic]: [...partitions] },
    timestamp,
  })
  return offsets.get(topic) ?? []
}
