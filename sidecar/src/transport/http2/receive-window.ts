import type { FrameOutput } from './frame-output.ts'
import { CONNECTION_WINDOW_BYTES, MAX_HELD_BYTES } from './limits.ts'
import { ConnectionError, ERROR_CODE, FRAME } from './protocol.ts'

/**
 * What the other side may send on a connection, all streams together. Bytes are credited when they arrive, so that one stream that
 * is paused does not stop the others, until paused streams hold so much that this is the lesser evil.
 */
export class ReceiveWindow {
  readonly #output: FrameOutput
  #window = CONNECTION_WINDOW_BYTES
  #uncreditedBytes = 0
  #heldBytes = 0

  constructor(output: FrameOutput) {
    this.#output = output
  }

  /** Throws ConnectionError where more came than was allowed. */
  take(bytes: number): void {
    this.#window -= bytes
    if (this.#window < 0)
      throw new ConnectionError(ERROR_CODE.flowControl, 'expected no more than the window of the connection')
    this.#uncreditedBytes += bytes
    this.#credit()
  }

  /** These bytes wait for a stream that is paused. */
  hold(bytes: number): void {
    this.#heldBytes += bytes
  }

  unhold(bytes: number): void {
    this.#heldBytes -= bytes
    this.#credit()
  }

  #credit(): void {
    if (this.#uncreditedBytes < CONNECTION_WINDOW_BYTES / 2 || this.#heldBytes > MAX_HELD_BYTES) return
    this.#output.number(FRAME.windowUpdate, 0, this.#uncreditedBytes)
    this.#window += this.#uncreditedBytes
    this.#uncreditedBytes = 0
  }
}
