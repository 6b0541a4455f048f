/**
 * How many requests at once the app can take, learned from the time that it takes (Netflix' Gradient2): while answers take as long
 * as they usually do the limit grows by the square root of itself, and shrinks in proportion as they take longer.
 */
import type { AdaptiveConcurrency } from '@weft/schemas/snapshot'

/** Netflix': a start that hurts nobody. */
const INITIAL_LIMIT = 20
/** The usual time is an average over some 600 windows, so a slow hour becomes usual and a slow minute does not. */
const USUAL_SHARE = 2 / 601
/** Until then it is the average of all. */
const WARM_UP_WINDOWS = 10
/** One step of the limit goes a fifth of the way. */
const SMOOTHING = 0.2
/** Never less than half in one step. */
const LEAST_GRADIENT = 0.5
/** A window is over after so long, when it has seen enough. */
const WINDOW_MS = 100
const MIN_SAMPLES = 10

export class GradientLimit {
  readonly #settings: AdaptiveConcurrency
  #limit: number
  #usualMs = 0
  #windows = 0
  #windowFrom = 0
  #samples = 0
  #sumMs = 0
  #mostInFlight = 0

  constructor(settings: AdaptiveConcurrency) {
    this.#settings = settings
    this.#limit = this.#bounded(INITIAL_LIMIT)
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** An answer has begun `rttMs` after its request, with so many in flight. Times are those of `performance.now()`. */
  observe(rttMs: number, inFlight: number, now: number): void {
    if (this.#samples === 0) this.#windowFrom = now
    this.#samples++
    this.#sumMs += rttMs
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight)
    if (this.#samples < MIN_SAMPLES || now - this.#windowFrom < WINDOW_MS) return
    this.#step(this.#sumMs / this.#samples, this.#mostInFlight)
    this.#samples = 0
    this.#sumMs = 0
    this.#mostInFlight = 0
  }

  #step(currentMs: number, inFlight: number): void {
    this.#windows++
    const share = this.#windows <= WARM_UP_WINDOWS ? 1 / this.#windows : USUAL_SHARE
    this.#usualMs += (currentMs - this.#usualMs) * share
    // After an overload the average is high: it would let the next one pass for usual.
    if (this.#usualMs > 2 * currentMs) this.#usualMs *= 0.95
    // A limit that is not reached says nothing about what could be borne.
    if (inFlight < this.#limit / 2) return
    const tolerated = (this.#settings.rttTolerance * this.#usualMs) / Math.max(currentMs, Number.EPSILON)
    const gradient = Math.max(LEAST_GRADIENT, Math.min(1, tolerated))
    const next = this.#limit * gradient + Math.sqrt(this.#limit)
    this.#limit = this.#bounded(this.#limit * (1 - SMOOTHING) + next * SMOOTHING)
  }

  #bounded(limit: number): number {
    return Math.min(this.#settings.maxLimit, Math.max(this.#settings.minLimit, limit))
  }
}
