import type { SnapshotSource, TopicEntry } from '@weft/schemas/snapshot'

export type Direction = 'produce' | 'consume'

/** What may come at once, in seconds of the rate. */
const BURST_SECONDS = 1
/** A client that is told to wait for longer gives up its connection before; what is owed beyond it is waited for next time. */
const MAX_THROTTLE_MS = 30_000

interface Bucket {
  /** Bytes that may still pass; below zero they are owed. */
  level: number
  at: number
}

/** Bytes per second of this workload, for topics that say so: a token bucket for each topic and direction, over all connections. */
export class Quotas {
  readonly #snapshots: SnapshotSource
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  /** `now` in milliseconds. */
  constructor(snapshots: SnapshotSource, now: () => number = () => performance.now()) {
    this.#snapshots = snapshots
    this.#now = now
  }

  /** Takes these bytes, which have passed or will; returns for how many milliseconds the client is to wait before it asks for more. */
  charge(topic: string, direction: Direction, bytes: number): number {
    const perSecond = rateOf(this.#snapshots.current().topicByName.get(topic), direction)
    if (perSecond === undefined) return 0
    const most = perSecond * BURST_SECONDS
    const now = this.#now()
    const key = `${direction} ${topic}`
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = { level: most, at: now }
      this.#buckets.set(key, bucket)
    }
    bucket.level = Math.min(most, bucket.level + ((now - bucket.at) / 1000) * perSecond) - bytes
    bucket.at = now
    return bucket.level >= 0 ? 0 : Math.min(MAX_THROTTLE_MS, Math.ceil((-bucket.level / perSecond) * 1000))
  }
}

const rateOf = (topic: TopicEntry | undefined, direction: Direction): number | undefined =>
  direction === 'produce' ? topic?.quota?.produceBytesPerSecond : topic?.quota?.consumeBytesPerSecond
