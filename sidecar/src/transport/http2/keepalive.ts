/** Finds out that the other side is gone although no FIN came: a host that lost its power, a firewall that forgot. */

/** Of silence, while somebody waits for an answer. */
const QUIET_MS = 30_000
/** For the answer to a PING. */
const ANSWER_MS = 15_000

export class Keepalive {
  #heardAt = performance.now()
  #askedAt = 0

  /** Something came. */
  heard(now: number): void {
    this.#heardAt = now
    this.#askedAt = 0
  }

  /** What is to be done now. `isBusy`: there are streams, and somebody waits. */
  check(now: number, isBusy: boolean): 'nothing' | 'ask' | 'giveUp' {
    if (this.#askedAt !== 0) return now - this.#askedAt > ANSWER_MS ? 'giveUp' : 'nothing'
    if (!isBusy || now - this.#heardAt < QUIET_MS) return 'nothing'
    this.#askedAt = now
    return 'ask'
  }
}
