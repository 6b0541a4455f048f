import { MeshError } from '@weft/schemas/error'
import type { HttpBody } from '../../http-service.ts'
import type { ByteBudget } from './byte-budget.ts'

export interface BodyOptions {
  /** What takes no more than `maxBytes`, for the message. */
  readonly what: string
  readonly maxBytes: number
  readonly budget: ByteBudget
  /** Bytes, or -1 where the end of the body says so. */
  readonly declared: number
  readonly onWhole: (bytes: Buffer) => void
  /** The body does not become whole: `event_too_large`, `event_buffer_full`, `request_timeout`, or the caller's going. */
  readonly onFail: (error: MeshError) => void
}

/** Slow senders do not hold memory for ever: a body that comes in several reads has this time. */
const BODY_TIMEOUT_MS = 30_000

/**
 * Collects a body in memory, never more of it than the limit and the budget allow: a declared length is judged before the first
 * byte has come (the constructor throws). What it holds of the budget is held until `release`.
 */
export class Body implements HttpBody {
  readonly #options: BodyOptions
  #chunks: Buffer[] = []
  #length = 0
  #held = 0
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(options: BodyOptions) {
    this.#options = options
    if (options.declared > 0) this.#hold(options.declared)
  }

  data(chunk: Buffer): void {
    if (this.#isOver) return
    this.#length += chunk.length
    try {
      if (this.#length > this.#held) this.#hold(this.#length - this.#held)
    } catch (error) {
      this.#fail(MeshError.from(error))
      return
    }
    this.#chunks.push(chunk)
    if (this.#length !== this.#options.declared)
      this.#timer ??= setTimeout(() => this.#late(), BODY_TIMEOUT_MS)
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    const chunks = this.#chunks
    this.#chunks = []
    this.#options.onWhole(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
  }

  cancel(error: MeshError): void {
    if (!this.#isOver) this.#fail(error)
  }

  pause(): void {}
  resume(): void {}

  /** Idempotent. */
  release(): void {
    this.#chunks = []
    this.#options.budget.give(this.#held)
    this.#held = 0
  }

  #late(): void {
    this.#fail(new MeshError('request_timeout', `expected the whole body within ${BODY_TIMEOUT_MS} ms`))
  }

  #fail(error: MeshError): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.release()
    this.#options.onFail(error)
  }

  #hold(more: number): void {
    const { what, maxBytes, budget } = this.#options
    if (this.#held + more > maxBytes)
      throw new MeshError('event_too_large', `${what} takes up to ${maxBytes} bytes, this is more`)
    if (!budget.take(more))
      throw new MeshError('event_buffer_full', 'too many bytes of events are in flight; nothing was accepted')
    this.#held += more
  }
}
