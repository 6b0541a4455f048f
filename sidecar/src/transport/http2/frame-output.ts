/**
 * The write side of an HTTP/2 connection. Frames are written one after the other into one buffer, and what a turn of the event
 * loop produced goes to the socket as one write: streams share system calls and TLS records, and no frame costs an object.
 *
 *   buffer:  [ handed to the socket │ written in this turn │ free ]
 *                                 #from                    at
 */
import type { Socket } from 'node:net'
import type { OutputOwner } from '../output.ts'
import { DEFAULT_FRAME_BYTES, FLAG, FRAME, FRAME_HEAD_BYTES } from './protocol.ts'

/** What a socket takes in one go; larger frames get a buffer of their own. */
const BUFFER_BYTES = 64 * 1024
/** More than this does not wait for the end of the turn. */
const MAX_HELD_BYTES = 128 * 1024
/** Bytes that may lie in the socket before streams are held back. */
const MAX_UNSENT_BYTES = 256 * 1024
/** Buffers that wait for their next use, for all connections together. */
const MAX_SPARE_BUFFERS = 32
/** Buffers of one connection that are full and not sent yet; what is beyond is left to the collector. */
const MAX_SPENT_BUFFERS = 8
/** Frames that no window holds back (answers to PING, heads): who lets them pile up does not read. */
const MAX_BLOCKED_BYTES = 4 * 1024 * 1024

const NO_BUFFER = Buffer.alloc(0)

/**
 * A long body fills a buffer every 64 KiB, and memory outside of its heap makes V8 mark all of the heap again and again
 * (read-memory.ts). So buffers are used again when nothing of them is on its way.
 */
const spareBuffers: Buffer[] = []
const newBuffer = (): Buffer => spareBuffers.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)

const dirty: FrameOutput[] = []
function flushAll(): void {
  for (let at = 0; at < dirty.length; at++) (dirty[at] as FrameOutput).endTurn()
  dirty.length = 0
}

export class FrameOutput {
  readonly #socket: Socket
  readonly #owner: OutputOwner
  /** Where the next frame is written; changes with every call that asks for room. */
  buffer: Buffer = NO_BUFFER
  at = 0
  #from = 0
  #full: Buffer[] = []
  /** Buffers that are full, and of which the socket may still hold something. */
  readonly #spent: Buffer[] = []
  #fullBytes = 0
  #isDirty = false
  #isBlocked = false
  /** Number of the write that will carry what is written now. A frame of an earlier one cannot be changed any more. */
  writes = 0

  constructor(socket: Socket, owner: OutputOwner) {
    this.#socket = socket
    this.#owner = owner
    socket.on('drain', () => {
      this.#reuseSpent()
      if (!this.#isBlocked) return
      this.#isBlocked = false
      owner.onUnblocked()
    })
  }

  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** Makes sure that `size` bytes can be written at `at`. Closes the socket where nobody reads what is in it already. */
  reserve(size: number): void {
    if (!this.#isDirty) {
      this.#isDirty = true
      if (dirty.push(this) === 1) setImmediate(flushAll)
      // Nothing of the buffer is on its way: it begins again.
      if (this.#socket.writableLength === 0) {
        this.#from = this.at = 0
        this.#reuseSpent()
      }
    }
    if (this.at + size <= this.buffer.length) return
    this.#setAside()
    if (this.#fullBytes >= MAX_HELD_BYTES) this.flush()
    if (this.#socket.writableLength > MAX_BLOCKED_BYTES) this.#socket.destroy()
    if (this.buffer.length === BUFFER_BYTES && this.#spent.length < MAX_SPENT_BUFFERS)
      this.#spent.push(this.buffer)
    this.buffer = size > BUFFER_BYTES ? Buffer.allocUnsafeSlow(size) : newBuffer()
    this.#from = this.at = 0
  }

  /** The nine bytes before a payload, for which there is room afterwards. */
  frameHead(length: number, type: number, flags: number, streamId: number): void {
    this.reserve(FRAME_HEAD_BYTES + length)
    writeFrameHead(this.buffer, this.at, { length, type, flags, streamId })
    this.at += FRAME_HEAD_BYTES
  }

  /** A frame whose payload is one number: RST_STREAM, WINDOW_UPDATE. */
  number(type: number, streamId: number, value: number): void {
    this.frameHead(4, type, 0, streamId)
    this.at = this.buffer.writeUInt32BE(value, this.at)
  }

  goAway(lastStreamId: number, errorCode: number): void {
    this.frameHead(8, FRAME.goAway, 0, 0)
    this.at = this.buffer.writeUInt32BE(lastStreamId, this.at)
    this.at = this.buffer.writeUInt32BE(errorCode, this.at)
  }

  /** Eight bytes, as a question or as its answer. */
  ping(data: Buffer, isAnswer: boolean): void {
    this.frameHead(8, FRAME.ping, isAnswer ? FLAG.ack : 0, 0)
    this.bytes(data, 0, 8)
  }

  bytes(source: Buffer, from: number, to: number): void {
    source.copy(this.buffer, this.at, from, to)
    this.at += to - from
  }

  endTurn(): void {
    this.#isDirty = false
    this.flush()
  }

  /** Writes what is held now; needed only before the socket is ended. */
  flush(): void {
    this.#setAside()
    if (this.#full.length === 0) return
    const socket = this.#socket
    let hasRoom = true
    if (socket.writable) for (const piece of this.#full) hasRoom = socket.write(piece)
    this.#full.length = 0
    this.#fullBytes = 0
    if (hasRoom || this.#isBlocked || socket.writableLength < MAX_UNSENT_BYTES) return
    this.#isBlocked = true
    this.#owner.onBlocked()
  }

  /** Gives the buffer back: a connection that is idle holds none. */
  release(): void {
    if (this.#isDirty || this.#socket.writableLength > 0) return
    this.#reuseSpent()
    this.buffer = NO_BUFFER
    this.#from = this.at = 0
  }

  /** All that was written has left the process, so nobody reads these buffers any more. */
  #reuseSpent(): void {
    if (this.#full.length > 0 || this.#socket.writableLength > 0 || this.#socket.destroyed) return
    for (const buffer of this.#spent) if (spareBuffers.length < MAX_SPARE_BUFFERS) spareBuffers.push(buffer)
    this.#spent.length = 0
  }

  #setAside(): void {
    if (this.at === this.#from) return
    this.#full.push(this.buffer.subarray(this.#from, this.at))
    this.#fullBytes += this.at - this.#from
    this.#from = this.at
    this.writes++
  }
}

export interface FrameHead {
  readonly length: number
  readonly type: number
  readonly flags: number
  readonly streamId: number
}

export function writeFrameHead(
  buffer: Buffer,
  at: number,
  { length, type, flags, streamId }: FrameHead,
): void {
  buffer[at] = length >>> 16
  buffer[at + 1] = length >>> 8
  buffer[at + 2] = length
  buffer[at + 3] = type
  buffer[at + 4] = flags
  buffer[at + 5] = streamId >>> 24
  buffer[at + 6] = streamId >>> 16
  buffer[at + 7] = streamId >>> 8
  buffer[at + 8] = streamId
}

/**
 * A header block in as many frames as it needs (RFC 9113, section 6.10), none larger than everybody takes; it must not be part of
 * the output's own buffer. Returns -1: where its flags are is not told, because they may be in a buffer that is full.
 */
export function writeSplitBlock(output: FrameOutput, block: Buffer, streamId: number, flags: number): -1 {
  for (let from = 0; from < block.length; from += DEFAULT_FRAME_BYTES) {
    const to = Math.min(block.length, from + DEFAULT_FRAME_BYTES)
    const last = to === block.length ? FLAG.endHeaders : 0
    if (from === 0) output.frameHead(to, FRAME.headers, flags | last, streamId)
    else output.frameHead(to - from, FRAME.continuation, last, streamId)
    output.bytes(block, from, to)
  }
  return -1
}
