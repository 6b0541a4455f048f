import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import type { KafkaConnection } from '../kafka-connection.ts'
import { ProducerLane } from './producer-lane.ts'
import type { OutgoingRecord, StoredAt } from './record.ts'

export interface PublisherOptions {
  readonly clientId: string
  readonly connection: () => KafkaConnection | undefined
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly log: Log
}

/** Batches are no larger than this, nor than the topic's own limit: Kafka's default of max.message.bytes. */
const MAX_BATCH_BYTES = 1_048_576

/** The way of every record to the broker, events of the API and dead letters alike: one lane per topic. */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #lanes = new Map<string, ProducerLane>()
  readonly #unsubscribe: (() => void)[]
  #connectionName: string | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#connectionName = options.connection()?.name
    this.#unsubscribe = [
      options.identity.onRotate(() => this.#refresh()),
      options.snapshots.onChange(() => {
        const name = options.connection()?.name
        if (name !== this.#connectionName) this.#refresh()
        this.#connectionName = name
      }),
    ]
  }

  /** Resolves when the broker has acknowledged; rejects with a MeshError, after `timeoutMs` at the latest. */
  publish(topic: string, record: OutgoingRecord, timeoutMs: number): Promise<StoredAt> {
    let lane = this.#lanes.get(topic)
    if (lane === undefined) {
      const { clientId, connection, log } = this.#options
      lane = new ProducerLane({ topic, clientId, connection, log })
      this.#lanes.set(topic, lane)
    }
    const limit = this.#options.snapshots.current().topicByName.get(topic)?.maxMessageBytes ?? MAX_BATCH_BYTES
    return lane.publish(record, { timeoutMs, maxBatchBytes: Math.min(limit, MAX_BATCH_BYTES) })
  }

  /** Takes nothing more; waits for what is in flight, up to the deadline. */
  async close(deadlineMs: number): Promise<void> {
    for (const end of this.#unsubscribe) end()
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close(deadlineMs)))
  }

  #refresh(): void {
    for (const lane of this.#lanes.values()) lane.refresh()
  }
}
