/**
 * Takes endpoints out that fail again and again, for a while, and longer each time (Envoy's outlier detection).
 *
 *   healthy ──5 failures in a row, or far fewer successes than others──▶ ejected ──base × ejections──▶ healthy
 */
import type { OutlierDetection } from '@weft/schemas/snapshot'
import type { LiveEndpoint } from './endpoint.ts'
import type { Outcome } from './outcome.ts'
import { unsuccessful } from './success-rate.ts'

export interface OutlierOptions {
  readonly settings: OutlierDetection
  /** All of the service, ejected ones among them. */
  readonly endpoints: () => readonly LiveEndpoint[]
  /** An endpoint was ejected, or came back. */
  readonly onChange: () => void
  readonly onEjected: (reason: EjectionReason) => void
}

export type EjectionReason = 'consecutive-failures' | 'consecutive-gateway-failures' | 'success-rate'

export class OutlierDetector {
  readonly #options: Omit<OutlierOptions, 'settings'>
  #settings: OutlierDetection
  #sweep: NodeJS.Timeout | undefined
  #ejected = 0

  constructor({ settings, ...options }: OutlierOptions) {
    this.#options = options
    this.#settings = settings
    this.#startSweep()
  }

  update(settings: OutlierDetection): void {
    const isOtherInterval = settings.successRate?.intervalMs !== this.#settings.successRate?.intervalMs
    this.#settings = settings
    if (!isOtherInterval) return
    this.close()
    this.#startSweep()
  }

  record(endpoint: LiveEndpoint, outcome: Outcome): void {
    const { outlier } = endpoint
    outlier.requests++
    if (outcome === 'success') {
      outlier.successes++
      outlier.consecutiveFailures = 0
      outlier.consecutiveGatewayFailures = 0
      return
    }
    outlier.consecutiveFailures++
    outlier.consecutiveGatewayFailures =
      outcome === 'gateway-failure' ? outlier.consecutiveGatewayFailures + 1 : 0
    const { consecutiveFailures, consecutiveGatewayFailures } = this.#settings
    if (consecutiveFailures > 0 && outlier.consecutiveFailures >= consecutiveFailures)
      this.#eject(endpoint, 'consecutive-failures')
    else if (
      consecutiveGatewayFailures > 0 &&
      outlier.consecutiveGatewayFailures >= consecutiveGatewayFailures
    )
      this.#eject(endpoint, 'consecutive-gateway-failures')
  }

  /** The endpoint has left the service. */
  forget({ outlier }: LiveEndpoint): void {
    clearTimeout(outlier.timer)
    if (outlier.ejectedBecause !== undefined) this.#ejected--
    outlier.ejectedBecause = undefined
  }

  /** Ends the comparing; ejections end by themselves, or with their endpoints. */
  close(): void {
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  #eject(endpoint: LiveEndpoint, reason: EjectionReason): void {
    const { outlier } = endpoint
    if (outlier.ejectedBecause !== undefined || !this.#mayEject()) return
    const { baseEjectionMs, maxEjectionMs } = this.#settings
    const healthyMs = performance.now() - outlier.returnedAt
    // Every time span of an ejection that it behaved well takes one off.
    outlier.ejections = Math.max(0, outlier.ejections - Math.floor(healthyMs / baseEjectionMs)) + 1
    outlier.ejectedBecause = reason
    outlier.consecutiveFailures = 0
    outlier.consecutiveGatewayFailures = 0
    this.#ejected++
    outlier.timer = setTimeout(
      () => this.#bringBack(endpoint),
      Math.min(maxEjectionMs, baseEjectionMs * outlier.ejections),
    )
    outlier.timer.unref()
    this.#options.onEjected(reason)
    this.#options.onChange()
  }

  /** One may always go, of however few. */
  #mayEject(): boolean {
    const share = (this.#options.endpoints().length * this.#settings.maxEjectionPercent) / 100
    return this.#ejected < Math.max(1, Math.floor(share))
  }

  #bringBack({ outlier }: LiveEndpoint): void {
    this.#ejected--
    outlier.ejectedBecause = undefined
    outlier.consecutiveFailures = 0
    outlier.consecutiveGatewayFailures = 0
    outlier.returnedAt = performance.now()
    this.#options.onChange()
  }

  #startSweep(): void {
    const { successRate } = this.#settings
    if (successRate === undefined) return
    this.#sweep = setInterval(() => {
      const endpoints = this.#options.endpoints()
      for (const endpoint of unsuccessful(endpoints, this.#settings.successRate ?? successRate))
        this.#eject(endpoint, 'success-rate')
      for (const { outlier } of endpoints) {
        outlier.requests = 0
        outlier.successes = 0
      }
    }, successRate.intervalMs)
    this.#sweep.unref()
  }
}
