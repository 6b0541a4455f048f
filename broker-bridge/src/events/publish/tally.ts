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

  /** What became of a request. */
  count(request: {
    readonly stored: number
    readonly failed: number
    /** Of its body. */
    readonly bytes: number
    readonly seconds: number
  }): void {
    if (request.failed > 0) this.#count('failed', request.failed)
    if (request.stored === 0) return
    if (this.#records === 0) setImmediate(() => this.#handOver())
    this.#records += request.stored
    this.#bytes += request.bytes
    const { topic } = this.#labels
    this.#metrics.histogram('weft_event_publish_duration_seconds').observe({ topic }, request.seconds)
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
