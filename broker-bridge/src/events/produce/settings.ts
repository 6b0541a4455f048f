import { DEFAULT_PRODUCER, type SnapshotSource } from '@weft/schemas/snapshot'
import { compressionOf } from '../../compression.ts'
import type { Compression } from '../../wire/write-batch.ts'

/** How the records of a topic are put together. */
export interface ProduceSettings {
  /** How long the first record of a batch waits for others; 0: those of one turn of the event loop leave together. */
  readonly lingerMs: number
  /** Bytes of a batch: it does not wait when they are reached, and takes no more. */
  readonly batchBytes: number
  readonly compression: Compression | undefined
  /** A record that is refused at once takes those before it along, told first: they are kept elsewhere, in order. */
  readonly failsTogether: boolean
}

/** The settings of a topic: made anew with each snapshot, not with each record. */
export function settingsOf(snapshots: SnapshotSource, topic: string): () => ProduceSettings {
  let from = snapshots.current()
  let settings = settingsIn(from)
  return () => {
    const now = snapshots.current()
    if (now === from) return settings
    from = now
    settings = settingsIn(now)
    return settings
  }

  function settingsIn({ topicByName }: typeof from): ProduceSettings {
    const entry = topicByName.get(topic)
    const { lingerMs, batchBytes, compression } = entry?.producer ?? DEFAULT_PRODUCER
    return {
      lingerMs,
      // What the broker takes at most is a limit on batches.
      batchBytes: Math.min(batchBytes, entry?.maxMessageBytes ?? batchBytes),
      compression: compressionOf(compression),
      failsTogether: entry?.durability === 'spool',
    }
  }
}
