/** Which subscriptions are taken from by streams, and who takes: the right to is asked when they come, and whenever it changes. */
import { MeshError } from '@weft/schemas/error'
import type { Decision } from '@weft/schemas/policy'
import type { IndexedSnapshot, SnapshotSource, SubscriptionEntry } from '@weft/schemas/snapshot'
import { type Stream, StreamReceiver, type Taker } from './stream-receiver.ts'

/** A stream that can be told why it ends. */
export interface EndableStream extends Stream {
  stop(error: MeshError): void
}

export interface StreamsOptions {
  readonly snapshots: SnapshotSource
  /** Why the workload may not consume for this subscription; undefined where it may. */
  readonly refusalOf: (now: IndexedSnapshot, entry: SubscriptionEntry) => Decision | undefined
}

export class Streams {
  readonly #options: StreamsOptions
  readonly #receivers = new Map<string, StreamReceiver>()
  readonly #open = new Map<EndableStream, string>()
  readonly #listeners = new Set<() => void>()
  readonly #endOfChanges: () => void

  constructor(options: StreamsOptions) {
    this.#options = options
    this.#endOfChanges = options.snapshots.onChange((now) => {
      for (const [stream, name] of [...this.#open]) {
        const error = this.#faultOf(now, name)
        if (error !== undefined) stream.stop(error)
      }
    })
  }

  /** Of a subscription without a path. */
  receiver(name: string): StreamReceiver {
    let receiver = this.#receivers.get(name)
    if (receiver === undefined) {
      const created = new StreamReceiver(() => this.#changed())
      this.#receivers.set(name, created)
      receiver = created
    }
    return receiver
  }

  /** Runs when somebody has come to a subscription, or the last one has left it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Throws `not_found`, `invalid_request` or `permission_denied`. */
  attach(name: string, stream: EndableStream): Taker {
    const error = this.#faultOf(this.#options.snapshots.current(), name)
    if (error !== undefined) throw error
    this.#open.set(stream, name)
    const taker = this.receiver(name).attach(stream)
    this.#changed()
    return taker
  }

  detach(stream: EndableStream, taker: Taker): void {
    this.#open.delete(stream)
    taker.detach()
  }

  close(): void {
    this.#endOfChanges()
    this.#listeners.clear()
    for (const receiver of this.#receivers.values()) receiver.close()
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #faultOf(now: IndexedSnapshot, name: string): MeshError | undefined {
    const entry = now.snapshot.subscriptions.find((each) => each.name === name)
    if (entry === undefined)
      return new MeshError('not_found', `no Subscription of this service is called ${JSON.stringify(name)}`)
    if (entry.path !== undefined)
      return new MeshError(
        'invalid_request',
        `Subscription ${name} is delivered to ${entry.path}: expected one without spec.path`,
      )
    const refusal = this.#options.refusalOf(now, entry)
    if (refusal === undefined) return undefined
    return new MeshError('permission_denied', refusal.explanation, {
      target: entry.topic,
      ...(refusal.policy !== undefined && { policy: refusal.policy }),
    })
  }
}
