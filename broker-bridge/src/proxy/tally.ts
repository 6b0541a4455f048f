import type { Metrics } from '@weft/schemas/node/metrics'
import type { ProduceTopic } from '../wire/00-produce.ts'
import { countRecords } from '../wire/record-batch.ts'
import { BoundedNames } from './bounded-names.ts'

type Operation = 'produce' | 'consume'
type Outcome = 'ok' | 'failed' | 'refused'
interface Counting {
  inc(by: number): void
}

/** Counts records and bytes by identity and topic. Counters are kept at hand: finding one by its labels costs more than adding. */
export class Tally {
  readonly #metrics: Metrics
  readonly #serviceAccount: () => string
  readonly #topics = new BoundedNames()
  readonly #counters = new Map<string, Counting>()

  constructor(metrics: Metrics, serviceAccount: () => string) {
    this.#metrics = metrics
    this.#serviceAccount = serviceAccount
  }

  records(operation: Operation, topic: string, outcome: Outcome, count: number): void {
    if (count === 0) return
    const label = this.#topics.label(topic)
    const identity = this.#serviceAccount()
    this.#counter(`${operation} ${outcome} ${identity} ${label}`, () =>
      this.#metrics
        .counter('weft_kafka_records_total')
        .labels({ operation, mode: 'wire', identity, topic: label, group: '-', outcome }),
    ).inc(count)
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
