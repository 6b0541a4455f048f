/**
 * How an accepted connection ends without losing its last answer: FIN after what was written, and what still comes is read
 * and dropped for a while. A socket that is closed with unread bytes sends a reset, and the reset overtakes the answer.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { PendingSplice } from './tcp/pending-splice.ts'

/** Of a request that was answered before it had ended so much is read; more is not worth it. */
export const MAX_DISCARDED_BYTES = 256 * 1024
/** From the FIN on: long enough for the answer to arrive and for the caller to close. */
const LINGER_MS = 1_000

export class Ending {
  readonly #socket: Socket
  #isBegun = false
  #discarded = 0
  #deadlineAt = 0
  #heir: PendingSplice | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get isBegun(): boolean {
    return this.#isBegun
  }

  /** Everything that is to be sent has been written. A slow reader has `readWithinMs` for what the kernel does not take yet. */
  begin(readWithinMs: number): void {
    this.#isBegun = true
    this.#deadlineAt = performance.now() + readWithinMs
    this.#socket.once('finish', () => {
      this.#deadlineAt = performance.now() + LINGER_MS
    })
    this.#socket.end()
    this.#socket.resume()
  }

  /** For HTTP the connection is over; its bytes go elsewhere from now on. */
  handOver(heir: PendingSplice): void {
    this.#isBegun = true
    this.#heir = heir
  }

  checkDeadline(now: number): void {
    if (this.#heir !== undefined) this.#heir.checkDeadline(now)
    else if (now >= this.#deadlineAt) this.#socket.destroy()
  }

  discard(bytes: number): void {
    if (this.#heir !== undefined) return
    this.#discarded += bytes
    if (this.#discarded > MAX_DISCARDED_BYTES) this.#socket.destroy()
  }

  destroy(): void {
    this.#isBegun = true
    if (this.#heir !== undefined) this.#heir.destroy()
    else this.#socket.destroy()
  }

  onClosed(): void {
    this.#isBegun = true
  }

  /** A reset, so that nobody takes what was sent for the whole of the answer. TLS tells by the close_notify that is missing. */
  reset(): void {
    this.#isBegun = true
    if (this.#socket instanceof TLSSocket) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }
}
