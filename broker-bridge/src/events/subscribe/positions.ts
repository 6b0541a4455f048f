import type { Consumer } from '@platformatic/kafka'
import { timestampMs } from '@weft/schemas/timestamp'
import { kafkaClient } from '../../kafka-client.ts'

/** Where a partition is read from, and what the group has on record for it. */
export interface Position {
  readonly start: bigint
  readonly committed: bigint | undefined
}

export interface PositionRequest {
  readonly consumer: Consumer
  readonly topic: string
  readonly partitions: readonly number[]
  /** `earliest`, `latest`, or an RFC 3339 timestamp. */
  readonly startAt: string
}

/** After the last commit; where the group has none, where the subscription says. */
export async function findPositions(request: PositionRequest): Promise<ReadonlyMap<number, Position>> {
  const { consumer, topic, partitions, startAt } = request
  const commits = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [...partitions] }] })
  const committed = (partition: number): bigint | undefined => {
    const offset = commits.get(topic)?.[partition]
    return offset === undefined || offset < 0n ? undefined : offset
  }
  const without = partitions.filter((partition) => committed(partition) === undefined)
  const limits = without.length === 0 ? [] : await placesOf(request, without, startAt)
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
  const first = (await placesOf(request, [partition], 'earliest'))[partition] ?? 0n
  if (lost < first) return { start: first, committed: undefined }
  const places = await placesOf(request, [partition], request.startAt)
  return { start: places[partition] ?? first, committed: undefined }
}

/** By partition: the start or the end of the log, or the first record of a time or later; where there is none yet, the end. */
async function placesOf(
  request: PositionRequest,
  partitions: readonly number[],
  at: string,
): Promise<readonly bigint[]> {
  const { ListOffsetTimestamps } = kafkaClient()
  if (at === 'earliest') return listOffsets(request, partitions, ListOffsetTimestamps.EARLIEST)
  if (at === 'latest') return listOffsets(request, partitions, ListOffsetTimestamps.LATEST)
  const places = [...(await listOffsets(request, partitions, BigInt(timestampMs(at) ?? 0)))]
  const without = partitions.filter((partition) => (places[partition] ?? -1n) < 0n)
  if (without.length === 0) return places
  const ends = await listOffsets(request, without, ListOffsetTimestamps.LATEST)
  for (const partition of without) places[partition] = ends[partition] ?? 0n
  return places
}

async function listOffsets(
  { consumer, topic }: PositionRequest,
  partitions: readonly number[],
  timestamp: bigint,
): Promise<readonly bigint[]> {
  const offsets = await consumer.listOffsets({
    topics: [topic],
    partitions: { [topic]: [...partitions] },
    timestamp,
  })
  return offsets.get(topic) ?? []
}
