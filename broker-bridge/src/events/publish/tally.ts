import type { Metrics } from '@weft/schemas/node/metrics'

/**
 * Counts the publications to one topic. A counter with labels costs a microsecond, and answers come in batches: they are added
 * up here and handed over once a turn.
 */
export class PublishTally {
  readonly #metrics: Metrics
  readonly #labels: {
    readonly operation: 'produce'
    readonly mode: 'api'
    readonly identity: string
    readonly topic: string
  }
  #records = 0
  #bytes = 0

  constructor(metrics: Metrics, identity: string, topic: string) {
    this.#metrics = metrics
    this.#labels = { operation: 'produce', mode: 'api', identity, topic }
  }

  stored(bytes: number, seconds: number): void {
    if (this.#records === 0) setImmediate(() => this.#handOver())
    this.#records++
    this.#bytes += bytes
    const { topic } = this.#labels
    this.#metrics.histogram('weft_event_publish_duration_seconds').observe({ topic }, seconds)
  }

  failed(): void {
    this.#count('failed', 1)
  }

  refused(): void {
    this.#count('refused', 1)
  }

  #handOver(): void {
    this.#count('ok', this.#records)
    if (this.#bytes > 0) this.#metrics.counter('weft_kafka_bytes_total').inc(this.#labels, this.#bytes)
    this.#records = 0
    this.#bytes = 0
  }

  #count(outcome: 'ok' | 'failed' | 'refused', records: number): void {
    this.#metrics.counter('weft_kafka_records_total').inc({ ...this.#labels, group: '-', outcome }, records)
  }
}
