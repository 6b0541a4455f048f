import type { RetrySettings } from '@weft/schemas/snapshot'

/**
 * Keeps retries from becoming the load that keeps a service down: at any time only a share of the requests in flight may be
 * retries. Lives as long as the service, across snapshots.
 */
export class RetryBudget {
  #active = 0
  #retrying = 0
  settings: RetrySettings

  constructor(settings: RetrySettings) {
    this.settings = settings
  }

  begin(): void {
    this.#active++
  }

  /** `retries` is how many permits the request took. */
  end(retries: number): void {
    this.#active--
    this.#retrying -= retries
  }

  /** Takes a permit where there is one; it is given back by `end`. */
  tryTake(): boolean {
    const { budgetRatio, budgetMinConcurrent } = this.settings
    if (this.#retrying >= Math.max(budgetMinConcurrent, Math.floor(this.#active * budgetRatio))) return false
    this.#retrying++
    return true
  }
}
