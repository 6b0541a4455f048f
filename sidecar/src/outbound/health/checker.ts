/**
 * Active health checks: each endpoint is asked again and again, and not chosen while it does not answer as it should.
 *
 *   not asked yet ──the first answer decides──▶ healthy ──unhealthyThreshold failures in a row──▶ unhealthy
 *    (is chosen)                                   ▲                                                 │
 *                                                  └────────healthyThreshold successes in a row──────┘
 */
import type { HealthCheck } from '@weft/schemas/snapshot'
import type { LiveEndpoint } from '../endpoint.ts'
import { type Probe, type ProbeTarget, probeOf } from './probe.ts'

export interface HealthCheckerOptions {
  /** An endpoint has become healthy or unhealthy. */
  readonly onChange: () => void
  readonly onChecked: (outcome: 'passed' | 'failed') => void
}

/** The first check comes soon, and not of all endpoints in the same moment. */
const FIRST_WITHIN_MS = 100

interface Checked {
  readonly target: ProbeTarget
  /** Of the next check, or of the time that the running one has. */
  timer: NodeJS.Timeout | undefined
  giveUp: () => void
  /** Answers of one kind in a row. */
  inARow: number
  isKnown: boolean
}

export class HealthChecker {
  readonly #options: HealthCheckerOptions
  readonly #checked = new Map<LiveEndpoint, Checked>()
  #written = ''
  #settings: HealthCheck | undefined
  #probe: Probe | undefined

  constructor(options: HealthCheckerOptions) {
    this.#options = options
  }

  /** What a new snapshot says. Endpoints that go on being asked the same keep what is known of them. */
  update(settings: HealthCheck | undefined, targets: readonly ProbeTarget[]): void {
    const written = JSON.stringify(settings ?? null)
    if (written !== this.#written) {
      this.close()
      this.#written = written
      this.#settings = settings
      this.#probe = settings && probeOf(settings.probe)
    }
    if (this.#settings === undefined) return
    const current = new Set(targets.map(({ endpoint }) => endpoint))
    for (const endpoint of this.#checked.keys()) if (!current.has(endpoint)) this.#forget(endpoint)
    for (const target of targets) if (!this.#checked.has(target.endpoint)) this.#begin(target)
  }

  /** Nobody is asked any more, and nobody is unhealthy for what was answered. */
  close(): void {
    for (const endpoint of [...this.#checked.keys()]) this.#forget(endpoint)
    this.#options.onChange()
  }

  #begin(target: ProbeTarget): void {
    const checked: Checked = { target, timer: undefined, giveUp: () => {}, inARow: 0, isKnown: false }
    this.#checked.set(target.endpoint, checked)
    this.#schedule(checked, Math.random() * FIRST_WITHIN_MS)
  }

  #forget(endpoint: LiveEndpoint): void {
    const checked = this.#checked.get(endpoint)
    this.#checked.delete(endpoint)
    clearTimeout(checked?.timer)
    checked?.giveUp()
    endpoint.failedCheck = undefined
  }

  #schedule(checked: Checked, delayMs: number): void {
    checked.timer = setTimeout(() => this.#check(checked), delayMs)
    checked.timer.unref()
  }

  #check(checked: Checked): void {
    const { timeoutMs } = this.#settings ?? { timeoutMs: 0 }
    let isOver = false
    const done = (failure: string | undefined): void => {
      if (isOver) return
      isOver = true
      clearTimeout(checked.timer)
      checked.giveUp = () => {}
      // Given up, because the endpoint is gone or is asked something else.
      if (this.#checked.get(checked.target.endpoint) !== checked) return
      this.#judge(checked, failure)
    }
    checked.timer = setTimeout(() => {
      const { giveUp } = checked
      done(`expected an answer within ${timeoutMs} ms`)
      giveUp()
    }, timeoutMs)
    checked.timer.unref()
    const giveUp = this.#probe?.(checked.target, done) ?? (() => {})
    if (!isOver) checked.giveUp = giveUp
  }

  #judge(checked: Checked, failure: string | undefined): void {
    const { endpoint } = checked.target
    const settings = this.#settings
    if (settings === undefined) return
    this.#options.onChecked(failure === undefined ? 'passed' : 'failed')
    const isHealthy = endpoint.failedCheck === undefined
    const isSurprise = isHealthy !== (failure === undefined)
    checked.inARow = isSurprise ? checked.inARow + 1 : 0
    const threshold = isHealthy ? settings.unhealthyThreshold : settings.healthyThreshold
    if (isSurprise && (!checked.isKnown || checked.inARow >= threshold)) {
      checked.inARow = 0
      endpoint.failedCheck = failure
      // Slow start is for those that come back, too.
      if (failure === undefined) endpoint.joinedAt = performance.now()
      this.#options.onChange()
    } else if (!isHealthy && failure !== undefined) endpoint.failedCheck = failure
    checked.isKnown = true
    const { intervalMs, jitterPercent } = settings
    this.#schedule(checked, intervalMs * (1 + (Math.random() * jitterPercent) / 100))
  }
}
