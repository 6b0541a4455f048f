import type { Metrics } from '@weft/schemas/node/metrics'
import type { ProduceTopic } from '../wire/00-produce.ts'
import { countRecords } from '../wire/record-batch.ts'
import { BoundedNames } from './bounded-names.ts'
import { NO_GROUP } from './client-groups.ts'
import { Lag } from './lag.ts'

type Operation = 'produce' | 'consume'
type Outcome = 'ok' | 'failed' | 'refused'
interface Counting {
  inc(by: number): void
}

/** Counts records and bytes by identity, topic and group, and measures. Counters are kept at hand: finding one by its labels costs more than adding. */
export class Tally {
  readonly #metrics: Metrics
  readonly #serviceAccount: () => string
  readonly #topics = new BoundedNames()
  readonly #groups = new BoundedNames()
  readonly #durations = new Map<string, { observe(seconds: number): void }>()
  readonly #lag: Lag
  readonly #counters = new Map<string, Counting>()

  constructor(metrics: Metrics, serviceAccount: () => string) {
    this.#metrics = metrics
    this.#lag = new Lag(metrics)
    this.#serviceAccount = serviceAccount
  }

  /** `group`: of those who consume, where it is known. */
  records(operation: Operation, topic: string, outcome: Outcome, count: number, group = NO_GROUP): void {
    if (count === 0) return
    const labels = this.#labels(topic, group)
    const { identity, topic: label } = labels
    this.#counter(`${operation} ${outcome} ${identity} ${label} ${labels.group}`, () =>
      this.#metrics
        .counter('weft_kafka_records_total')
        .labels({ operation, mode: 'wire', ...labels, outcome }),
    ).inc(count)
  }

  /** What a partition still holds for a client, once it has been given what came. */
  behind(topic: string, partition: number, group: string, records: number): void {
    this.#lag.note({ ...this.#labels(topic, group), partition, behind: records })
  }

  /** For how long a client was asked to wait. */
  throttled(operation: Operation, topic: string, seconds: number): void {
    const labels = { operation, identity: this.#serviceAccount(), topic: this.#topics.label(topic) }
    this.#metrics.counter('weft_kafka_throttle_seconds_total').inc(labels, seconds)
  }

  /** How long a request took. */
  took(api: string, seconds: number): void {
    const identity = this.#serviceAccount()
    const key = `${api} ${identity}`
    let durations = this.#durations.get(key)
    if (durations === undefined) {
      durations = this.#metrics.histogram('weft_kafka_request_duration_seconds').labels({ identity, api })
      this.#durations.set(key, durations)
    }
    durations.observe(seconds)
  }

  close(): void {
    this.#lag.close()
  }

  #labels(topic: string, group: string) {
    return {
      identity: this.#serviceAccount(),
      topic: this.#topics.label(topic),
      group: this.#groups.label(group),
    }
  }

  bytes(operation: Operation, topic: string, count: number): void {
    if (count === 0) return
    const label = this.#topics.label(topic)
    const identity = this.#serviceAccount()
    this.#counter(`${operation} bytes ${identity} ${label}`, () =>
      this.#metrics
        .counter('weft_kafka_bytes_total')
        .labels({ operation, mode: 'wire', identity, topic: label }),
    ).inc(count)
  }

  produceRefused(frame: Buffer, topic: string, { partitions }: ProduceTopic): void {
    for (const { recordsFrom, recordsTo } of partitions)
      this.records('produce', topic, 'refused', countRecords(frame, recordsFrom, recordsTo))
  }

  /** A refused fetch: what it would have brought is not known, so it counts as one. */
  consumeRefused(topic: string): void {
    this.records('consume', topic, 'refused', 1)
  }

  #counter(key: string, make: () => Counting): Counting {
    let counter = this.#counters.get(key)
    if (counter === undefined) {
      counter = make()
      this.#counters.set(key, counter)
    }
    return counter
  }
}
