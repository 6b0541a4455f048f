import type { Span } from '@opentelemetry/api'

/** What a workload may have in work at once before the oldest are let go. */
const MAX_OPEN = 10_000
/** A record that was not committed for this long is not being worked on, as far as a trace can tell. */
const MAX_AGE_MS = 5 * 60_000
const SWEEP_EVERY_MS = 30_000

/** Why a span ended without a commit; attribute `weft.ended`. */
type Ending = 'refetched' | 'connection-closed' | 'timeout' | 'evicted'

export interface Delivery {
  /** Told apart by client id: a fetch does not say its group, and a commit goes over another connection. */
  readonly clientId: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

interface Open {
  readonly span: Span
  readonly connection: object
  readonly offset: number
  readonly partition: Map<number, Open>
  readonly since: number
}

/**
 * The `process` spans of delivered records, until a commit of the same client covers their offset.
 *
 * Where several groups of one process share a client id, the first commit ends the spans of both.
 */
export class OpenSpans {
  /** client, topic, partition → offset → span */
  readonly #partitions = new Map<string, Map<number, Open>>()
  /** Oldest first. */
  readonly #all = new Set<Open>()
  readonly #timer = setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref()

  get size(): number {
    return this.#all.size
  }

  add(delivery: Delivery, span: Span, connection: object): void {
    const key = keyOf(delivery)
    let partition = this.#partitions.get(key)
    if (partition === undefined) {
      partition = new Map()
      this.#partitions.set(key, partition)
    }
    const before = partition.get(delivery.offset)
    if (before !== undefined) this.#end(before, 'refetched')
    const open: Open = { span, connection, offset: delivery.offset, partition, since: Date.now() }
    partition.set(delivery.offset, open)
    this.#all.add(open)
    const oldest = this.#all.values().next().value
    if (this.#all.size > MAX_OPEN && oldest !== undefined) this.#end(oldest, 'evicted')
  }

  /** The group has committed up to, not including, this offset. */
  commit({ offset, ...place }: Delivery, group: string): void {
    for (const open of this.#partitions.get(keyOf(place))?.values() ?? []) {
      if (open.offset >= offset) continue
      open.span.setAttribute('messaging.consumer.group.name', group)
      this.#end(open)
    }
  }

  closeConnection(connection: object): void {
    if (this.#all.size === 0) return
    for (const open of this.#all) if (open.connection === connection) this.#end(open, 'connection-closed')
  }

  close(): void {
    clearInterval(this.#timer)
    for (const open of this.#all) this.#end(open, 'connection-closed')
  }

  #sweep(): void {
    const oldest = Date.now() - MAX_AGE_MS
    for (const open of this.#all) {
      if (open.since > oldest) break
      this.#end(open, 'timeout')
    }
    for (const [key, partition] of this.#partitions) if (partition.size === 0) this.#partitions.delete(key)
  }

  #end(open: Open, ending?: Ending): void {
    this.#all.delete(open)
    open.partition.delete(open.offset)
    if (ending !== undefined) open.span.setAttribute('weft.ended', ending)
    open.span.end()
  }
}

const keyOf = ({ clientId, topic, partition }: Omit<Delivery, 'offset'>): string =>
  `${topic}\n${partition}\n${clientId}`
