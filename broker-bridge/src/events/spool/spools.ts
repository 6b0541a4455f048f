import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import type { Producer } from '../produce/producer.ts'
import { entryEnd } from './entry.ts'
import { SegmentLog } from './segment-log.ts'
import { TopicSpool } from './topic-spool.ts'

export interface SpoolsOptions {
  /** Undefined: nothing is spooled, whatever a Topic says. */
  readonly folder: string | undefined
  readonly snapshots: SnapshotSource
  readonly producer: Producer
  readonly metrics: Metrics
  readonly log: Log
}

/** On the disk, over all topics: some minutes of a busy service. */
const MAX_BYTES = 256 * 1024 * 1024

/** The spools of the topics that ask for one, and of those in which something was left. */
export class Spools {
  readonly #options: SpoolsOptions
  readonly #byTopic = new Map<string, TopicSpool>()
  readonly #opening = new Map<string, Promise<void>>()
  readonly #unsubscribe: () => void

  private constructor(options: SpoolsOptions) {
    this.#options = options
    this.#unsubscribe = options.snapshots.onChange(() => void this.#openWanted())
  }

  /** Opens what is there and what the snapshot asks for. Throws where the folder cannot be read. */
  static async open(options: SpoolsOptions): Promise<Spools> {
    const spools = new Spools(options)
    const { folder } = options
    if (folder !== undefined) {
      const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      for (const entry of entries) if (entry.isDirectory()) await spools.#open(folder, entry.name)
    }
    await spools.#openWanted()
    return spools
  }

  /** Undefined where the topic has none. */
  of(topic: string): TopicSpool | undefined {
    return this.#byTopic.get(topic)
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await Promise.all(this.#opening.values())
    await Promise.all([...this.#byTopic.values()].map((spool) => spool.close()))
  }

  async #openWanted(): Promise<void> {
    const { folder, snapshots, log } = this.#options
    const wanted = snapshots.current().snapshot.topics.filter(({ durability }) => durability === 'spool')
    if (folder === undefined) {
      for (const { name: topic } of wanted)
        log.warn({ topic }, 'the topic asks for a spool, and WEFT_SPOOL_DIR is not set: nothing is spooled')
      return
    }
    await Promise.all(wanted.map(({ name }) => this.#open(folder, name)))
  }

  #open(folder: string, topic: string): Promise<void> {
    let opening = this.#opening.get(topic)
    if (opening === undefined) {
      opening = this.#openOnce(join(folder, topic), topic).catch((error: unknown) => {
        this.#opening.delete(topic)
        this.#options.log.error({ error, topic }, 'the spool cannot be opened')
      })
      this.#opening.set(topic, opening)
    }
    return opening
  }

  async #openOnce(folder: string, topic: string): Promise<void> {
    const { producer, metrics, log } = this.#options
    const gauge = metrics.gauge('weft_event_spool_bytes')
    const segments = await SegmentLog.open({
      folder,
      entryEnd,
      onDamage: (file, bytes) => log.error({ file, bytes }, 'the spool has bytes that are no event'),
    })
    const spool = new TopicSpool({
      topic,
      segments,
      producer,
      hasRoom: (bytes) => this.#bytes + bytes <= MAX_BYTES,
      onBytes: (bytes) => gauge.set({ topic }, bytes),
      onRefused: (error) =>
        log.error({ error, topic }, 'the broker refuses an event of the spool: it is lost'),
      log,
    })
    this.#byTopic.set(topic, spool)
  }

  get #bytes(): number {
    let bytes = 0
    for (const spool of this.#byTopic.values()) bytes += spool.bytes
    return bytes
  }
}
