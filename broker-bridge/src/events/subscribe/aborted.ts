/** Which records of a fetched partition count: no control records, none of an aborted transaction (read_committed). */
import type { RecordsBatch } from '@platformatic/kafka'

type Batch = RecordsBatch
const IS_TRANSACTIONAL = 1 << 4
const IS_CONTROL = 1 << 5
const ABORT_MARKER = 0

/**
 * The batches that may be delivered, in order. The client drops the aborted ones only where the abort marker came with the
 * same fetch and the producer aborted once; this follows Kafka's own consumer: a producer's batches are dropped from the first
 * offset of its aborted transaction until its marker.
 */
export function committedBatches(
  batches: readonly Batch[],
  aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[] | null,
): readonly Batch[] {
  if (aborted === null || aborted.length === 0)
    return batches.filter((batch) => (batch.attributes & IS_CONTROL) === 0)
  const pending = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  const aborting = new Set<bigint>()
  return batches.filter((batch) => {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta)
    for (let next = pending[0]; next !== undefined && next.firstOffset <= last; next = pending[0]) {
      aborting.add(next.producerId)
      pending.shift()
    }
    if ((batch.attributes & IS_CONTROL) !== 0) {
      if (markerOf(batch) === ABORT_MARKER) aborting.delete(batch.producerId)
      return false
    }
    return (batch.attributes & IS_TRANSACTIONAL) === 0 || !aborting.has(batch.producerId)
  })
}

/** Key of a control record: version, type (int16 each). */
const markerOf = (batch: Batch): number | undefined => {
  const key = batch.records[0]?.key
  return key !== null && key !== undefined && key.length >= 4 ? key.readInt16BE(2) : undefined
}
