import type { Log } from './log.ts'
import type { Outbox, OutboxEntry } from './outbox.ts'
import { reasonOf } from './reason.ts'
import { traceIdOf } from './trace.ts'

/** What became of one attempt to publish. */
export type Published =
  | { readonly result: 'published' }
  /** Worth another attempt: the broker, the sidecar or a policy may be different then. */
  | { readonly result: 'retry'; readonly reason: string }
  /** The event itself is refused; another attempt would end the same. */
  | { readonly result: 'park'; readonly reason: string }

export interface RelayOptions {
  readonly outbox: Outbox
  /** A throw counts as `retry`. */
  readonly publish: (entry: OutboxEntry) => Promise<Published>
  readonly log: Log
  /** Wait before the first retry; doubles up to `maxBackoffMs`. */
  readonly minBackoffMs?: number
  readonly maxBackoffMs?: number
}

/** Keys published at the same time: one that has to wait does not hold up the others. */
const LANES = 16
const MIN_BACKOFF_MS = 100
/** A broker that is back is noticed within this time. */
const MAX_BACKOFF_MS = 5_000

/**
 * Publishes what is in the outbox: each key in order and one at a time, up to LANES keys together. An entry
 * is deleted after the broker has acknowledged it; a crash in between publishes it again with the same event id.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #lanes = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /** Looks into the outbox. Call it at start and after each transaction that added something. */
  wake(): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    const { outbox } = this.#options
    const now = Date.now()
    // Entries under way are still in the table: ask for as many more.
    for (const entry of outbox.due(now, LANES + this.#lanes.size)) {
      if (this.#lanes.size >= LANES) break
      if (this.#lanes.has(entry.key)) continue
      const done = this.#attempt(entry).finally(() => {
        this.#lanes.delete(entry.key)
        this.wake()
      })
      this.#lanes.set(entry.key, done)
    }
    const next = outbox.nextDueAt(now)
    if (next !== undefined) this.#timer = setTimeout(() => this.wake(), next - now)
  }

  /** Begins nothing more and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await Promise.all(this.#lanes.values())
  }

  async #attempt(entry: OutboxEntry): Promise<void> {
    const { outbox, publish } = this.#options
    const log = this.#options.log.child({ eventId: entry.event.id, traceId: traceIdOf(entry.trace) })
    const outcome = await publish(entry).catch(
      (error: unknown): Published => ({ result: 'retry', reason: reasonOf(error) }),
    )
    switch (outcome.result) {
      case 'published':
        outbox.published(entry)
        log.info({ topic: entry.topic, attempts: entry.attempts + 1 }, 'event published')
        return
      case 'retry': {
        const waitMs = this.#backoffMs(entry.attempts)
        outbox.postpone(entry, Date.now() + waitMs, outcome.reason)
        // The first failure is news; the following ones only say that it lasts.
        log[entry.attempts === 0 ? 'warn' : 'debug'](
          { reason: outcome.reason, waitMs },
          'event not published yet',
        )
        return
      }
      case 'park':
        outbox.park(entry, outcome.reason)
        log.error({ reason: outcome.reason }, 'event parked: it was refused for good; see GET /outbox')
    }
  }

  /** Half fixed, half random: services that failed together do not come back together. */
  #backoffMs(attempts: number): number {
    const { minBackoffMs = MIN_BACKOFF_MS, maxBackoffMs = MAX_BACKOFF_MS } = this.#options
    const ceiling = Math.min(minBackoffMs * 2 ** Math.min(attempts, 20), maxBackoffMs)
    return Math.ceil(ceiling / 2 + (Math.random() * ceiling) / 2)
  }
}
