import type { Metrics } from '@weft/schemas/node/metrics'

export interface Position {
  readonly identity: string
  readonly topic: string
  readonly group: string
  readonly partition: number
  /** Records that are in the log behind what the client has been given. */
  readonly behind: number
}

/** A client asks for each of its partitions every half second, or has no more of it. */
const MAX_AGE_MS = 30_000
const PUBLISH_EVERY_MS = 2_000
/** Partitions are chosen by clients: a bound, not a working size. */
const MAX_PARTITIONS = 10_000

interface Reading {
  readonly position: Position
  readonly at: number
}

/** How far the local clients are behind, as the broker says with every Fetch: nobody is asked for it. */
export class Lag {
  readonly #metrics: Metrics
  readonly #readings = new Map<string, Reading>()
  readonly #timer = setInterval(() => this.publish(), PUBLISH_EVERY_MS).unref()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  note(position: Position): void {
    const key = `${position.topic}\n${position.partition}\n${position.group}`
    if (this.#readings.size >= MAX_PARTITIONS && !this.#readings.has(key)) return
    this.#readings.set(key, { position, at: performance.now() })
  }

  /** Sums over partitions into the gauge; what nobody asks for any more is in none of them. */
  publish(): void {
    const oldest = performance.now() - MAX_AGE_MS
    const gauge = this.#metrics.gauge('weft_kafka_lag_records')
    const sums = new Map<string, { readonly labels: Labels; sum: number }>()
    for (const [key, { position, at }] of this.#readings) {
      if (at < oldest) {
        this.#readings.delete(key)
        continue
      }
      const { identity, topic, group, behind } = position
      const name = `${identity}\n${topic}\n${group}`
      const entry = sums.get(name) ?? { labels: { identity, topic, group }, sum: 0 }
      entry.sum += behind
      sums.set(name, entry)
    }
    gauge.reset()
    for (const { labels, sum } of sums.values()) gauge.set(labels, sum)
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

type Labels = Pick<Position, 'identity' | 'topic' | 'group'>
