/**
 * Frames that cost us more than their sender: PING, SETTINGS, PRIORITY, empty DATA, resets of requests that were begun. Each
 * takes from an allowance, which time and answered requests fill up again: honest callers cancel and ask, and are not noticed;
 * a flood empties it in no time (CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27316).
 */
import { ConnectionError, ERROR_CODE } from './protocol.ts'

/** What may come at once. Envoy looks at no more than 500 resets either; nghttp2 at 1000. */
const BURST = 500
const REFILL_PER_SECOND = 50

export class FloodGuard {
  #allowance = BURST

  /** Throws ConnectionError where it was one too many. `what`: for the log. */
  take(what: string): void {
    if (--this.#allowance < 0)
      throw new ConnectionError(ERROR_CODE.enhanceYourCalm, `expected fewer ${what}: this is a flood`)
  }

  /** A request was answered: whoever works may also cancel. */
  reward(): void {
    if (this.#allowance < BURST) this.#allowance++
  }

  /** Called as time goes by. */
  refill(elapsedMs: number): void {
    this.#allowance = Math.min(BURST, this.#allowance + (elapsedMs * REFILL_PER_SECOND) / 1000)
  }
}
