/**
 * Two connections as one: what comes from either goes to the other, byte by byte, until both have ended.
 *
 *   near ──data──▶ far      a side that takes no more stops the reading of the other one: memory is bounded
 *   near ──FIN───▶ far      a half that was shut is shut over there, and the other half goes on
 *   near ──RST───▶ far      a side that breaks breaks the other one, so that nobody takes half for the whole
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { onRead } from '../read-memory.ts'

/** A connection that leads to where it should, paused, and who is to be told of its bytes. */
export interface Tunnel {
  readonly socket: Duplex
  readonly onBytes: SpliceOptions['onBytes']
}

export interface SpliceOptions {
  /** Without a byte either way; then both are closed. Default: TCP_IDLE_TIMEOUT_MS. */
  readonly idleTimeoutMs?: number
  /** Bytes that went either way since the last call. Called a few times a second where there were any, and at the end. */
  readonly onBytes: (sent: number, received: number) => void
}

/** As Envoy's. Connection pools of databases keep connections for minutes; who needs longer sends keep-alives. */
const TCP_IDLE_TIMEOUT_MS = 3_600_000

export class Splice {
  readonly #near: Duplex
  readonly #far: Duplex
  readonly #options: SpliceOptions
  #sent = 0
  #received = 0
  #activeAt = performance.now()

  /** `near` is whose bytes count as sent. Both may be paused, and may hold unread bytes. */
  constructor(near: Duplex, far: Duplex, options: SpliceOptions) {
    this.#near = near
    this.#far = far
    this.#options = options
    this.#join(near, far, (bytes) => {
      this.#sent += bytes
    })
    this.#join(far, near, (bytes) => {
      this.#received += bytes
    })
  }

  /** Nobody here knows where its protocol could stop: it goes on until it ends, or until the deadline of the drain. */
  drain(): void {}

  destroy(): void {
    breakOff(this.#near)
    breakOff(this.#far)
  }

  checkDeadline(now: number): void {
    if (this.#report()) this.#activeAt = now
    else if (now - this.#activeAt >= (this.#options.idleTimeoutMs ?? TCP_IDLE_TIMEOUT_MS)) this.destroy()
  }

  #join(from: Duplex, to: Duplex, count: (bytes: number) => void): void {
    onRead(from, (chunk) => {
      count(chunk.length)
      if (!to.write(chunk)) from.pause()
    })
    to.on('drain', () => from.resume())
    from.on('end', () => to.end())
    from.on('error', () => {}) // 'close' follows, and says enough
    from.once('close', () => {
      if (!from.readableEnded || !from.writableFinished) breakOff(to)
      this.#report()
    })
    from.resume()
  }

  #report(): boolean {
    if (this.#sent + this.#received === 0) return false
    this.#options.onBytes(this.#sent, this.#received)
    this.#sent = 0
    this.#received = 0
    return true
  }
}

/** With a reset where there can be one: a FIN would say that this was all. */
export function breakOff(socket: Duplex): void {
  if (socket instanceof Socket && !(socket instanceof TLSSocket) && !socket.destroyed)
    socket.resetAndDestroy()
  else socket.destroy()
}
