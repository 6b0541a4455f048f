/**
 * The write side of one socket: what one turn of the event loop produced goes out as one write. A write is the dearest
 * thing a proxy does (a system call, and a TLS record on a mesh hop), so heads and small bodies are copied together and
 * large slices are handed over as they are, in one gathered write.
 */
import type { Socket } from 'node:net'

export interface OutputOwner {
  /** The socket takes no more for now: stop producing. */
  onBlocked(): void
  onUnblocked(): void
}

/** Up to here copying is cheaper than a gathered write of several pieces. One TLS record. */
const MAX_COPIED_BYTES = 16 * 1024
/** More than this does not wait for the end of the turn. */
const MAX_HELD_BYTES = 64 * 1024
/** Small: a slab is held for as long as the slowest reader of any piece in it. */
const SLAB_BYTES = 64 * 1024

const dirty: Output[] = []
function flushAll(): void {
  for (let at = 0; at < dirty.length; at++) (dirty[at] as Output).endTurn()
  dirty.length = 0
}

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
let slabUsed = 0
/** A region that nobody else has. Slabs are never reused: the collector frees one when its last write is done. */
function region(size: number): Buffer {
  if (slabUsed + size > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    slabUsed = 0
  }
  slabUsed += size
  return slab.subarray(slabUsed - size, slabUsed)
}

export class Output {
  readonly #socket: Socket
  readonly #owner: OutputOwner
  readonly #pieces: (string | Buffer)[] = []
  #size = 0
  #isDirty = false
  #isBlocked = false
  /** Number of writes that have reached the socket. */
  writes = 0

  constructor(socket: Socket, owner: OutputOwner) {
    this.#socket = socket
    this.#owner = owner
    socket.on('drain', () => {
      if (!this.#isBlocked) return
      this.#isBlocked = false
      owner.onUnblocked()
    })
  }

  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** Latin-1. */
  text(text: string): void {
    this.#add(text, text.length)
  }

  bytes(chunk: Buffer): void {
    this.#add(chunk, chunk.length)
  }

  #add(piece: string | Buffer, size: number): void {
    this.#pieces.push(piece)
    this.#size += size
    if (!this.#isDirty) {
      this.#isDirty = true
      if (dirty.push(this) === 1) setImmediate(flushAll)
    }
    if (this.#size >= MAX_HELD_BYTES) this.flush()
  }

  endTurn(): void {
    this.#isDirty = false
    this.flush()
  }

  /** Writes what is held now; needed only before the socket is ended. */
  flush(): void {
    if (this.#pieces.length === 0) return
    const hasRoom = this.#socket.writable ? this.#write() : true
    this.#pieces.length = 0
    this.#size = 0
    this.writes++
    if (hasRoom || this.#isBlocked) return
    this.#isBlocked = true
    this.#owner.onBlocked()
  }

  #write(): boolean {
    const pieces = this.#pieces
    const only = pieces[0] as string | Buffer
    if (pieces.length === 1 && typeof only !== 'string') return this.#socket.write(only)
    if (this.#size <= MAX_COPIED_BYTES) return this.#socket.write(this.#copied())
    let hasRoom = true
    this.#socket.cork()
    for (const piece of pieces)
      hasRoom = typeof piece === 'string' ? this.#socket.write(piece, 'latin1') : this.#socket.write(piece)
    this.#socket.uncork()
    return hasRoom
  }

  #copied(): Buffer {
    const target = region(this.#size)
    let at = 0
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') at += target.write(piece, at, 'latin1')
      else {
        target.set(piece, at)
        at += piece.length
      }
    }
    return target
  }
}
