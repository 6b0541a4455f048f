/**
 * One stream of a connection: what is the same for those that were accepted and those that were opened.
 *
 *   sending:    send ─▶ both windows and the socket have room ─▶ output
 *                        └── else ─▶ queue ─▶ the source pauses; the queue empties ─▶ it resumes
 *   receiving:  DATA ─▶ handed on at once; credited at once, or when a pause ends ─▶ WINDOW_UPDATE for each half window
 *
 * So a paused reader holds at most the window of its stream, and all of a connection at most MAX_HELD_BYTES.
 */
import type { MeshError } from '@weft/schemas/error'
import { type Fields, UNKNOWN_LENGTH } from '../exchange.ts'
import type { Http2Connection } from './connection.ts'
import { STREAM_WINDOW_BYTES } from './limits.ts'
import { DEFAULT_FRAME_BYTES, ERROR_CODE, FLAG, FRAME } from './protocol.ts'

const NOT_SENT = -1

export abstract class Http2Stream {
  readonly id: number
  protected readonly connection: Http2Connection
  sendWindow: number
  #receiveWindow = STREAM_WINDOW_BYTES
  /** Nothing more goes out, nothing more comes in. */
  isLocalEnded = false
  isRemoteEnded = false
  /** Reset, or both sides have ended. */
  isClosed = false
  /** Bytes that the other side announced; UNKNOWN_LENGTH where it did not. */
  protected expectedBytes = UNKNOWN_LENGTH
  #receivedBytes = 0
  #uncreditedBytes = 0
  #heldBytes = 0
  protected isPaused = false
  #queue: Buffer[] | undefined
  #isEndQueued = false
  #queuedTrailers: Fields | undefined
  /** Where the flags of the last frame are, as long as it can still be changed. */
  #lastFlagsAt = NOT_SENT
  #lastWrite = 0
  /** The connection's clock when bytes went out or came last. */
  movedAt: number

  constructor(connection: Http2Connection, id: number) {
    this.connection = connection
    this.id = id
    this.sendWindow = connection.peerWindowBytes
    this.movedAt = connection.now
  }

  /** A piece of the other side's body. */
  protected abstract onBody(chunk: Buffer): void
  protected abstract onRemoteEnd(trailers: Fields | undefined): void
  /** The stream is over without having ended: what has to be told here is told. */
  abstract onBroken(error: MeshError, errorCode: number): void
  /** The source of what is sent is to stop, or may go on. */
  protected abstract onSendBlocked(): void
  protected abstract onSendUnblocked(): void
  /** All of it has been sent, and the other side has not ended yet. */
  protected abstract onLocalEnd(): void

  get isQueued(): boolean {
    return this.#queue !== undefined
  }

  // Sending

  /** HEADERS that were just written and do not end the stream yet: `end` may still change that. */
  onHeadWritten(flagsAt: number): void {
    this.#lastFlagsAt = flagsAt
    this.#lastWrite = this.connection.output.writes
  }

  sendBody(chunk: Buffer): void {
    if (this.isLocalEnded || chunk.length === 0) return
    if (this.#queue !== undefined) {
      this.#queue.push(chunk)
      return
    }
    const sent = this.#write(chunk)
    if (sent === chunk.length) return
    this.#queue = [sent === 0 ? chunk : chunk.subarray(sent)]
    this.connection.waiting.add(this)
    this.onSendBlocked()
  }

  sendEnd(trailers: Fields | undefined): void {
    if (this.isLocalEnded || this.#isEndQueued) return
    if (this.#queue === undefined) {
      this.#writeEnd(trailers)
      return
    }
    this.#isEndQueued = true
    this.#queuedTrailers = trailers
  }

  /** A window or the socket has opened: sends what waits, as far as it goes. */
  resumeSending(): void {
    const queue = this.#queue
    if (queue === undefined) return
    let done = 0
    for (; done < queue.length; done++) {
      const chunk = queue[done] as Buffer
      const sent = this.#write(chunk)
      if (sent === chunk.length) continue
      if (sent > 0) queue[done] = chunk.subarray(sent)
      break
    }
    queue.splice(0, done)
    if (queue.length > 0) return
    this.#queue = undefined
    this.connection.waiting.delete(this)
    if (this.#isEndQueued) this.#writeEnd(this.#queuedTrailers)
    else this.onSendUnblocked()
  }

  /** Returns the bytes that went out. */
  #write(chunk: Buffer): number {
    const { connection } = this
    const { output } = connection
    let from = 0
    while (from < chunk.length && !output.isBlocked) {
      const room = Math.min(this.sendWindow, connection.sendWindow, DEFAULT_FRAME_BYTES)
      if (room <= 0) break
      const size = Math.min(room, chunk.length - from)
      output.frameHead(size, FRAME.data, 0, this.id)
      this.#lastFlagsAt = output.at - FLAGS_BEFORE_PAYLOAD
      this.#lastWrite = output.writes
      output.bytes(chunk, from, from + size)
      this.sendWindow -= size
      connection.sendWindow -= size
      from += size
    }
    if (from > 0) this.movedAt = connection.now
    return from
  }

  #writeEnd(trailers: Fields | undefined): void {
    const { output } = this.connection
    if (trailers !== undefined) this.connection.writeTrailers(this, trailers)
    else if (this.#lastFlagsAt !== NOT_SENT && this.#lastWrite === output.writes) {
      const { buffer } = output
      buffer[this.#lastFlagsAt] = (buffer[this.#lastFlagsAt] as number) | FLAG.endStream
    } else output.frameHead(0, FRAME.data, FLAG.endStream, this.id)
    this.isLocalEnded = true
    if (this.isRemoteEnded) this.connection.forget(this)
    else this.onLocalEnd()
  }

  // Receiving

  /** What of the stream's window `size` takes. False: the other side was not allowed to send it. */
  take(size: number): boolean {
    this.#receiveWindow -= size
    return this.#receiveWindow >= 0
  }

  /** Bytes [from, to) of the buffer, of `size` that windows count. */
  receive(chunk: Buffer | undefined, size: number): boolean {
    this.movedAt = this.connection.now
    if (chunk !== undefined) {
      this.#receivedBytes += chunk.length
      if (this.expectedBytes !== UNKNOWN_LENGTH && this.#receivedBytes > this.expectedBytes) return false
    }
    if (this.isPaused) {
      this.#heldBytes += size
      this.connection.receiving.hold(size)
    } else this.#credit(size)
    if (chunk !== undefined) this.onBody(chunk)
    return true
  }

  /** False where less has come than was announced. */
  endRemote(trailers: Fields | undefined): boolean {
    if (this.expectedBytes !== UNKNOWN_LENGTH && this.#receivedBytes !== this.expectedBytes) return false
    this.isRemoteEnded = true
    if (this.isLocalEnded) this.connection.forget(this)
    this.onRemoteEnd(trailers)
    return true
  }

  pauseReceiving(): void {
    this.isPaused = true
  }

  resumeReceiving(): void {
    if (!this.isPaused) return
    this.isPaused = false
    const held = this.#heldBytes
    this.#heldBytes = 0
    if (held === 0) return
    this.connection.receiving.unhold(held)
    this.#credit(held)
  }

  /** From the connection: the stream is gone. */
  close(): void {
    this.isClosed = true
    this.isLocalEnded = true
    this.isRemoteEnded = true
    this.#queue = undefined
    this.#queuedTrailers = undefined
    if (this.#heldBytes > 0) this.connection.receiving.unhold(this.#heldBytes)
    this.#heldBytes = 0
  }

  #credit(size: number): void {
    this.#uncreditedBytes += size
    if (this.#uncreditedBytes < STREAM_WINDOW_BYTES / 2 || this.isRemoteEnded) return
    this.connection.output.number(FRAME.windowUpdate, this.id, this.#uncreditedBytes)
    this.#receiveWindow += this.#uncreditedBytes
    this.#uncreditedBytes = 0
  }

  /** Ends the stream from this side. */
  reset(errorCode: number = ERROR_CODE.cancel): void {
    this.connection.resetStream(this, errorCode)
  }
}

/** From the first byte of a payload back to the flags of its frame. */
const FLAGS_BEFORE_PAYLOAD = 5
