import { type MeshError, toProblem } from '@weft/schemas/error'
import type { OutgoingEvent } from './outgoing.ts'

/** What a publisher is told of one event. `offset` is a text: it does not fit a double. */
type Result =
  | { readonly topic: string; readonly partition: number; readonly offset: string; readonly id: string }
  | { readonly topic: string; readonly spooled: true; readonly id: string }
  | { readonly id: string; readonly problem: ReturnType<typeof toProblem> }

export interface Answer {
  readonly status: number
  readonly body: string
}

const OK = 200
/** Some are in the spool: on this machine's disk, to be published when the broker is back. */
const ACCEPTED = 202
/** Some were stored and some were not: each says for itself. */
const MULTI_STATUS = 207

/** What became of the events of one request, until all of them have been told. */
export class Results {
  readonly #topic: string
  readonly #events: readonly OutgoingEvent[]
  readonly #isBatch: boolean
  readonly #results: Result[] = []
  #left: number
  #stored = 0
  #spooled = 0
  #error: MeshError | undefined

  constructor(topic: string, events: readonly OutgoingEvent[], isBatch: boolean) {
    this.#topic = topic
    this.#events = events
    this.#isBatch = isBatch
    this.#left = events.length
  }

  get isComplete(): boolean {
    return this.#left === 0
  }

  get stored(): number {
    return this.#stored
  }

  get failed(): number {
    return this.#results.length - this.#stored - this.#spooled
  }

  onStored(index: number, partition: number, offset: bigint): void {
    this.#left--
    this.#stored++
    const id = (this.#events[index] as OutgoingEvent).id
    this.#results[index] = { topic: this.#topic, partition, offset: String(offset), id }
  }

  onSpooled(index: number): void {
    this.#left--
    this.#spooled++
    this.#results[index] = {
      topic: this.#topic,
      spooled: true,
      id: (this.#events[index] as OutgoingEvent).id,
    }
  }

  onFailed(index: number, error: MeshError): void {
    this.#left--
    this.#error ??= error
    this.#results[index] = { id: (this.#events[index] as OutgoingEvent).id, problem: toProblem(error) }
  }

  /** The error of the request where nothing of it was stored; else the answer. */
  answer(): Answer | MeshError {
    if (this.#stored + this.#spooled === 0 && this.#error !== undefined) return this.#error
    const status = this.#error !== undefined ? MULTI_STATUS : this.#spooled > 0 ? ACCEPTED : OK
    const body = this.#isBatch ? this.#results : this.#results[0]
    return { status, body: JSON.stringify(body) }
  }
}
