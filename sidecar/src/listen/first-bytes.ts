/**
 * A connection whose protocol is not known yet: holds its first bytes until they tell, or until there was time enough.
 *
 *   waiting ──bytes──▶ detect ──protocol──▶ bytes put back, handed over
 *      │                 └─more─▶ waiting
 *      └──deadline──▶ tcp: a protocol in which the server speaks first, or one that nobody here knows
 */
import type { Socket } from 'node:net'
import { detect, type Protocol } from './detect.ts'

export interface FirstBytesOptions {
  readonly timeoutMs: number
  /** Called once, unless the connection ends before: its bytes are in the socket again, unread. */
  readonly onDetected: (protocol: Protocol) => void
}

export class FirstBytes {
  readonly #socket: Socket
  readonly #options: FirstBytesOptions
  readonly #deadlineAt: number
  #bytes: Buffer | undefined
  #isSettled = false

  constructor(socket: Socket, options: FirstBytesOptions) {
    this.#socket = socket
    this.#options = options
    this.#deadlineAt = performance.now() + options.timeoutMs
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', onError)
  }

  /** Nothing was asked yet that could be answered. */
  drain(): void {
    this.#socket.end()
    this.#socket.resume()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  checkDeadline(now: number): void {
    if (now >= this.#deadlineAt && !this.#isSettled) this.#settle('tcp')
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes = this.#bytes === undefined ? chunk : Buffer.concat([this.#bytes, chunk])
    const protocol = detect(this.#bytes)
    if (protocol !== undefined) this.#settle(protocol)
  }

  /** Who stops before its protocol could be told has asked for nothing. */
  readonly #onEnd = (): void => void this.#socket.destroy()

  #settle(protocol: Protocol): void {
    this.#isSettled = true
    const socket = this.#socket
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.pause()
    if (this.#bytes !== undefined) socket.unshift(this.#bytes)
    this.#options.onDetected(protocol)
    socket.off('error', onError)
  }
}

/** 'close' follows, and says enough. */
const onError = (): void => {}
