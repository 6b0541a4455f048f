/**
 * Bytes of an opaque connection between two sidecars, in frames: four bytes of length, big-endian, and so many bytes. A frame
 * of no bytes ends one direction.
 *
 * TLS cannot say that by itself: Node reports a connection that was cut exactly as one whose half was shut. Half a dump of a
 * database must not pass for the whole, and who is cut off must not wait for the other half.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

const LENGTH_BYTES = 4
const END_FRAME = Buffer.alloc(LENGTH_BYTES)
/** For what was written last to arrive, and for the other side to close. */
const LINGER_MS = 1_000

export class FramedSocket extends Duplex {
  readonly #socket: Socket
  /** Bytes of the frame that are still to come. */
  #remaining = 0
  #length = 0
  #lengthBytes = 0
  #isEnded = false

  /** Of a socket after its handshake, which may be paused and may hold unread bytes. */
  constructor(socket: Socket) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', (error) => this.destroy(error))
    socket.once('end', () => this.#onCut())
    socket.once('close', () => this.#onCut())
  }

  override _read(): void {
    if (this.#socket.isPaused() || this.#socket.readableFlowing === null) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const length = Buffer.allocUnsafe(LENGTH_BYTES)
    length.writeUInt32BE(chunk.length)
    // One record of TLS for both, where they fit.
    this.#socket.cork()
    this.#socket.write(length)
    this.#socket.write(chunk, done)
    this.#socket.uncork()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.write(END_FRAME, done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error === null && this.#isEnded && this.writableFinished) {
      this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy())
      this.#socket.end()
      this.#socket.resume()
    } else this.#socket.destroy()
    done(error)
  }

  #onData(chunk: Buffer): void {
    let at = 0
    let hasRoom = true
    while (at < chunk.length && !this.#isEnded) {
      if (this.#remaining === 0) {
        at = this.#readLength(chunk, at)
        continue
      }
      const end = Math.min(chunk.length, at + this.#remaining)
      this.#remaining -= end - at
      hasRoom = this.push(chunk.subarray(at, end))
      at = end
    }
    if (!hasRoom) this.#socket.pause()
  }

  #readLength(chunk: Buffer, start: number): number {
    let at = start
    while (at < chunk.length && this.#lengthBytes < LENGTH_BYTES) {
      this.#length = this.#length * 256 + (chunk[at++] as number)
      this.#lengthBytes++
    }
    if (this.#lengthBytes < LENGTH_BYTES) return at
    this.#remaining = this.#length
    this.#length = 0
    this.#lengthBytes = 0
    if (this.#remaining === 0) {
      this.#isEnded = true
      this.push(null)
    }
    return at
  }

  #onCut(): void {
    if (!this.#isEnded || !this.writableFinished)
      this.destroy(new Error('the connection was cut before its end'))
  }
}
