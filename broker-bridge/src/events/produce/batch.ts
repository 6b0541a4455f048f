import { type Compression, writeBatch } from '../../wire/write-batch.ts'
import type { Outcome } from './outcome.ts'
import type { PendingRecord } from './record.ts'

/** The name under which a partition's log takes batches, each once and in order (KIP-98). */
export interface ProducerId {
  readonly id: bigint
  readonly epoch: number
}

/** Records that leave together, for one partition. Its bytes, and with them its sequence, never change: repeating it is safe. */
export interface Batch {
  readonly pending: readonly PendingRecord[]
  readonly bytes: Buffer
  /** Undefined while an answer is awaited. */
  outcome: Outcome | undefined
  /** Nobody waits for it any more. */
  isAbandoned: boolean
}

/** Sequences are 31 bits, and go round. */
export const MAX_SEQUENCE = 0x7fff_ffff

export function makeBatch(
  pending: readonly PendingRecord[],
  producer: ProducerId & { readonly sequence: number },
  compression: Compression | undefined,
): Batch {
  const bytes = writeBatch(
    pending.map(({ record }) => record),
    {
      producerId: producer.id,
      producerEpoch: producer.epoch,
      baseSequence: producer.sequence,
      nowMs: Date.now(),
      ...(compression !== undefined && { compression }),
    },
  )
  return { pending, bytes, outcome: undefined, isAbandoned: false }
}

/** The broker answers the offset of the first record; the others follow. */
export function settleStored(batch: Batch, partition: number, baseOffset: bigint): void {
  let offset = baseOffset
  for (const pending of batch.pending) {
    pending.stored(partition, offset)
    offset++
  }
}
