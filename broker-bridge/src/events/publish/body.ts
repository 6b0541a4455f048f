import { MeshError } from '@weft/schemas/error'
import type { ByteBudget } from './byte-budget.ts'

export interface BodyLimits {
  readonly topic: string
  readonly maxBytes: number
  readonly budget: ByteBudget
}

/**
 * Collects a body in memory, never more of it than the limit and the budget allow: a declared length is judged before the first
 * byte has come. What it holds of the budget is held until `release`. Its methods throw MeshError `event_too_large` or `overloaded`.
 */
export class Body {
  readonly #limits: BodyLimits
  #chunks: Buffer[] = []
  #length = 0
  #held = 0

  /** `declared`: bytes, or -1 where the end of the body says so. */
  constructor(limits: BodyLimits, declared: number) {
    this.#limits = limits
    if (declared > 0) this.#hold(declared)
  }

  add(chunk: Buffer): void {
    this.#length += chunk.length
    if (this.#length > this.#held) this.#hold(this.#length - this.#held)
    this.#chunks.push(chunk)
  }

  take(): Buffer {
    const chunks = this.#chunks
    this.#chunks = []
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  }

  /** Idempotent. */
  release(): void {
    this.#chunks = []
    this.#limits.budget.give(this.#held)
    this.#held = 0
  }

  #hold(more: number): void {
    const { topic, maxBytes, budget } = this.#limits
    if (this.#held + more > maxBytes)
      throw new MeshError(
        'event_too_large',
        `topic ${topic} takes records up to ${maxBytes} bytes, the event is larger`,
        { target: topic },
      )
    if (!budget.take(more))
      throw new MeshError(
        'overloaded',
        'too many bytes of events are in flight; nothing of this one was accepted',
      )
    this.#held += more
  }
}
