/** A connection that waits for the one that it will be joined with. */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { breakOff, Splice, type Tunnel } from './splice.ts'

/** Opens the other connection: calls `done` once, later; returns what gives it up. */
export type OpenTunnel = (done: (result: Tunnel | MeshError) => void) => () => void

export class PendingSplice {
  readonly #near: Socket
  #giveUp: (() => void) | undefined
  #splice: Splice | undefined

  /** `near` is not read before the other side is there. `onFailed`: there will be none; by default `near` is broken off. */
  constructor(near: Socket, open: OpenTunnel, onFailed: (error: MeshError) => void = () => breakOff(near)) {
    this.#near = near
    near.pause()
    near.on('error', () => {}) // 'close' follows, and says enough
    near.once('close', () => this.#giveUp?.())
    this.#giveUp = open((result) => {
      this.#giveUp = undefined
      if (result instanceof MeshError) onFailed(result)
      else this.#splice = new Splice(near, result.socket, { onBytes: result.onBytes })
    })
  }

  /** What is being opened may still be asked something; see Splice. */
  drain(): void {}

  destroy(): void {
    if (this.#splice === undefined) breakOff(this.#near)
    else this.#splice.destroy()
  }

  checkDeadline(now: number): void {
    this.#splice?.checkDeadline(now)
  }
}
