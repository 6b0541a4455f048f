import type { Http1Limits } from './limits.ts'

/** Longer than a caller in a loop needs from an answer to its next request, shorter than anybody waits for a drain. */
const QUIET_MS = 200
/** As of opaque TCP: who is silent for longer in a WebSocket sends its pings. */
const TUNNEL_IDLE_MS = 3_600_000

/**
 * Until when an accepted connection may go on without what it waits for. A time that is looked at now and then: cheaper than a
 * timer for each request. All times are of `performance.now()`, in milliseconds.
 */
export class SilenceLimit {
  readonly #limits: Http1Limits
  #endsAt: number
  #isHeadTimed = false
  #answeredAt = Number.NEGATIVE_INFINITY

  /** Nothing has come yet. */
  constructor(limits: Http1Limits) {
    this.#limits = limits
    this.#endsAt = performance.now() + limits.idleTimeoutMs
  }

  hasPassed(now: number): boolean {
    return now >= this.#endsAt
  }

  /** A part of a head has come. There is one limit for the whole head, however its bytes trickle in. */
  onHeadPart(): void {
    if (this.#isHeadTimed) return
    this.#isHeadTimed = true
    this.#endsAt = performance.now() + this.#limits.headTimeoutMs
  }

  onHead(): void {
    this.#isHeadTimed = false
  }

  /** A part of a request's body has come. */
  onBodyPart(): void {
    this.#endsAt = performance.now() + this.#limits.idleTimeoutMs
  }

  /** The exchange is a tunnel, or may become one; bytes went either way. */
  onTunnelled(): void {
    this.#endsAt = performance.now() + TUNNEL_IDLE_MS
  }

  /** Answered before its request was whole: the rest of it has as long as a head. */
  onEarlyAnswer(): void {
    this.#endsAt = performance.now() + this.#limits.headTimeoutMs
  }

  onExchangeEnd(): void {
    this.#answeredAt = performance.now()
    this.#endsAt = this.#answeredAt + this.#limits.idleTimeoutMs
  }

  /**
   * For a drain, while no request is under way. False where one was a moment ago: the caller may be sending its next one right now,
   * and has a moment for it.
   */
  isQuiet(): boolean {
    const now = performance.now()
    if (now - this.#answeredAt >= QUIET_MS) return true
    this.#endsAt = now + QUIET_MS
    return false
  }
}
