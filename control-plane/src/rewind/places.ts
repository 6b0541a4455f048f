/** Where a group is in a topic, and where it would be. */
import type { Admin } from '@platformatic/kafka'
import { MeshError } from '@weft/schemas/error'
import { EARLIEST, LATEST, offsetsAt } from '../kafka/offsets.ts'
import { unlessUnknown } from '../kafka/unknown-topic.ts'

/** The calls that are made. */
export type RewindAdmin = Pick<
  Admin,
  'listGroups' | 'listConsumerGroupOffsets' | 'alterConsumerGroupOffsets' | 'listOffsets' | 'metadata'
>

/** `earliest`, `latest`, the first record of a time (milliseconds since 1970) or later, or offsets by partition. */
export type Target =
  | 'earliest'
  | 'latest'
  | { readonly timeMs: number }
  | { readonly offsets: Readonly<Record<string, number>> }

/** Offsets are texts: they may be larger than a number. */
export interface Place {
  readonly partition: number
  /** null: nothing is committed. */
  readonly from: string | null
  readonly to: string
  /** How many records are delivered once more; negative: so many are passed over. null where nothing is committed. */
  readonly again: number | null
}

interface Range {
  readonly first: bigint
  readonly end: bigint
}

/** By partition. Rejects with MeshError `not_found`. */
export async function rangeOf(admin: RewindAdmin, topic: string): Promise<readonly Range[]> {
  const count = await partitionsOf(admin, topic)
  const [first, end] = await Promise.all([
    offsetsAt(admin, topic, { partitions: count, timestamp: EARLIEST }),
    offsetsAt(admin, topic, { partitions: count, timestamp: LATEST }),
  ])
  return Array.from({ length: count }, (_, partition) => ({
    first: first.get(partition) ?? 0n,
    end: end.get(partition) ?? 0n,
  }))
}

async function partitionsOf(admin: RewindAdmin, topic: string): Promise<number> {
  const asked = admin.metadata({ topics: [topic], autocreateTopics: false, forceUpdate: true })
  const found = (await unlessUnknown(asked))?.topics.get(topic)
  if (found === undefined) throw new MeshError('not_found', `there is no topic ${topic} in the cluster`)
  return found.partitionsCount
}

/** Only the partitions that are meant, by number. Rejects with MeshError `invalid_request` for one that is not there. */
export async function placesIn(
  admin: RewindAdmin,
  { topic, group }: { readonly topic: string; readonly group: string },
  range: readonly Range[],
  target: Target,
): Promise<readonly Place[]> {
  const wanted = await wantedOffsets(admin, topic, range, target)
  const committed = await committedOffsets(admin, topic, group)
  return [...wanted].map(([partition, offset]) => {
    const { first, end } = range[partition] as Range
    const to = offset < first ? first : offset > end ? end : offset
    const from = committed.get(partition)
    return {
      partition,
      from: from === undefined ? null : String(from),
      to: String(to),
      again: from === undefined ? null : Number(from - to),
    }
  })
}

async function wantedOffsets(
  admin: RewindAdmin,
  topic: string,
  range: readonly Range[],
  target: Target,
): Promise<ReadonlyMap<number, bigint>> {
  if (target === 'earliest') return new Map(range.map(({ first }, partition) => [partition, first]))
  if (target === 'latest') return new Map(range.map(({ end }, partition) => [partition, end]))
  if ('offsets' in target)
    return new Map(
      Object.entries(target.offsets).map(([partition, offset]) => {
        if (range[Number(partition)] === undefined)
          throw new MeshError(
            'invalid_request',
            `${topic} has no partition ${partition}: it has 0 to ${range.length - 1}`,
          )
        return [Number(partition), BigInt(offset)]
      }),
    )
  const found = await offsetsAt(admin, topic, { partitions: range.length, timestamp: BigInt(target.timeMs) })
  // -1: no record is so late.
  return new Map(range.map(({ end }, partition) => [partition, atLeast(found.get(partition), end)]))
}

const atLeast = (found: bigint | undefined, end: bigint): bigint =>
  found === undefined || found < 0n ? end : found

async function committedOffsets(
  admin: RewindAdmin,
  topic: string,
  group: string,
): Promise<ReadonlyMap<number, bigint>> {
  const [found] = await admin.listConsumerGroupOffsets({ groups: [group] })
  const partitions = found?.topics.find(({ name }) => name === topic)?.partitions ?? []
  return new Map(
    partitions
      .filter(({ committedOffset }) => committedOffset >= 0n)
      .map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
  )
}
