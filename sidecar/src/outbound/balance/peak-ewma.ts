/**
 * How long an endpoint takes: a moving average that jumps to a peak at once and forgets it slowly (Finagle's and Linkerd's
 * peak EWMA). So an endpoint that begins to stall is left alone from its first slow answer on, and asked again by and by.
 */

/** Linkerd's: what is expected of an endpoint that has answered nothing yet. */
const DEFAULT_RTT_MS = 30
/** Linkerd's: after so long without an answer, about a third of a peak is left. */
const DECAY_MS = 10_000
/** What an attempt counts that reached nobody: long enough that the endpoint is not the best one again for a minute. */
const FAILED_MS = 1_000

export class PeakEwma {
  #valueMs = DEFAULT_RTT_MS
  #updatedAt = 0
  #isMeasured = false

  /** Milliseconds; falls while nothing is measured. */
  at(now: number): number {
    return this.#isMeasured ? this.#valueMs * Math.exp((this.#updatedAt - now) / DECAY_MS) : DEFAULT_RTT_MS
  }

  get isMeasured(): boolean {
    return this.#isMeasured
  }

  /** An answer that came after `rttMs`. */
  observe(rttMs: number, now: number): void {
    const share = this.#isMeasured ? Math.exp((this.#updatedAt - now) / DECAY_MS) : 0
    this.#set(rttMs > this.#valueMs * share ? rttMs : this.#valueMs * share + rttMs * (1 - share), now)
  }

  /** An answer that says that it could not: however fast it came, it makes the endpoint no better. */
  observeRefusal(rttMs: number, now: number): void {
    if (!this.#isMeasured || rttMs > this.at(now)) this.#set(Math.max(rttMs, this.at(now)), now)
  }

  /** Nothing came. */
  observeFailure(now: number): void {
    this.#set(Math.max(FAILED_MS, this.at(now)), now)
  }

  #set(valueMs: number, now: number): void {
    this.#valueMs = valueMs
    this.#updatedAt = now
    this.#isMeasured = true
  }
}
