import { MeshError } from '@weft/schemas/error'
import type { Producer } from '../produce/producer.ts'
import type { OutgoingRecord, RecordSink } from '../produce/record.ts'
import type { Spools } from './spools.ts'
import type { TopicSpool } from './topic-spool.ts'

/** Told exactly once: stored by the broker, kept on this machine's disk, or neither. */
export interface KeptSink extends RecordSink {
  onSpooled(): void
}

/**
 * How long the broker may take where a topic has a spool, whatever the publisher would wait: everybody's time is up in the order in
 * which they came, so they go to the disk in that order.
 */
const SPOOL_AFTER_MS = 2_000

/** The producer, and behind it the disk for the topics that ask for it. */
export class SpoolingProducer {
  readonly #producer: Producer
  readonly #spools: Spools

  constructor(producer: Producer, spools: Spools) {
    this.#producer = producer
    this.#spools = spools
  }

  send(topic: string, record: OutgoingRecord, options: { timeoutMs: number; sink: KeptSink }): void {
    const spool = this.#spools.of(topic)
    if (spool === undefined) {
      this.#producer.send(topic, record, options)
      return
    }
    const { sink } = options
    if (spool.isActive) {
      void keep(spool, record, sink)
      return
    }
    this.#producer.send(topic, record, {
      timeoutMs: SPOOL_AFTER_MS,
      sink: {
        onStored: (partition, offset) => sink.onStored(partition, offset),
        onFailed: (error) => {
          if (error.code !== 'broker_unavailable') {
            sink.onFailed(error)
            return
          }
          void keep(spool, record, sink)
          // From now on all of the topic goes to the disk: what is on its way must come before it.
          this.#producer.giveUp(topic, 'the events of the topic are spooled now')
        },
      },
    })
  }
}

async function keep(spool: TopicSpool, record: OutgoingRecord, sink: KeptSink): Promise<void> {
  try {
    await spool.append(record)
  } catch (error) {
    sink.onFailed(MeshError.from(error))
    return
  }
  sink.onSpooled()
}
