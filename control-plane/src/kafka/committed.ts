import type { KafkaRecord, RecordsBatch } from '@platformatic/kafka'

export interface CommittedRecord extends Pick<KafkaRecord, 'key' | 'value' | 'headers'> {
  readonly offset: bigint
  readonly timestampMs: number
}

interface Aborted {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

/** KIP-98, attributes of a batch. */
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
/** Of the key of a control record: version, then type. */
const ABORT = 0

/**
 * The records of a fetch that was answered up to the last stable offset, without those of transactions that were aborted: a broker sends these too, and
 * says which they are. Remembers over fetches what began to be aborted in one and ends in the next.
 */
export class Committed {
  readonly #aborted = new Set<bigint>()

  records(batches: readonly RecordsBatch[], aborted: readonly Aborted[]): readonly CommittedRecord[] {
    const coming = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
    const records: CommittedRecord[] = []
    for (const batch of batches) {
      const lastOffset = batch.firstOffset + BigInt(batch.lastOffsetDelta)
      while (coming[0] !== undefined && coming[0].firstOffset <= lastOffset)
        this.#aborted.add((coming.shift() as Aborted).producerId)
      if ((batch.attributes & CONTROL) !== 0) {
        if (batch.records[0]?.key?.readInt16BE(2) === ABORT) this.#aborted.delete(batch.producerId)
        continue
      }
      if ((batch.attributes & TRANSACTIONAL) !== 0 && this.#aborted.has(batch.producerId)) continue
      for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records)
        records.push({
          offset: batch.firstOffset + BigInt(offsetDelta),
          timestampMs: Number(batch.firstTimestamp + timestampDelta),
          key,
          value,
          headers,
        })
    }
    return records
  }
}

/** The offset behind the last of these batches; undefined where there is none. */
export function endOf(batches: readonly RecordsBatch[]): bigint | undefined {
  const last = batches.at(-1)
  return last && last.firstOffset + BigInt(last.lastOffsetDelta) + 1n
}
