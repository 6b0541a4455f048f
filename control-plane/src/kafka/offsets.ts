import { type Admin, ListOffsetTimestamps } from '@platformatic/kafka'

export const { EARLIEST, LATEST } = ListOffsetTimestamps

/** By partition: where the log begins (EARLIEST) or ends (LATEST), or its first record of a time or later; -1 where there is none so late. */
export async function offsetsAt(
  admin: Pick<Admin, 'listOffsets'>,
  topic: string,
  { partitions, timestamp }: { readonly partitions: number; readonly timestamp: bigint },
): Promise<ReadonlyMap<number, bigint>> {
  const asked = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
  const listed = await admin.listOffsets({ topics: [{ name: topic, partitions: asked }] })
  return new Map(listed[0]?.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]))
}
