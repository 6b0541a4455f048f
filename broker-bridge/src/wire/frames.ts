import { MeshError } from '@weft/schemas/error'
import { FrameMemory } from './frame-memory.ts'
import { malformed } from './reader.ts'

/** Kafka's own socket.request.max.bytes. */
const DEFAULT_MAX_FRAME_BYTES = 100 * 1024 * 1024
/** What a frame that is spread over several reads gets at first; a length prefix alone must not allocate what it claims. */
const FIRST_ASSEMBLY_BYTES = 64 * 1024
const ASSEMBLY_GROWTH = 4
const NOTHING = Buffer.alloc(0)

export interface FrameOptions {
  readonly maxBytes?: number
  /** Bytes after the length prefix that `check` wants to see. */
  readonly headBytes?: number
  /** Judges a frame by its first bytes, once, as soon as they are there; throws to refuse it before the rest arrives. */
  readonly check?: (head: Buffer) => void
}

/**
 * Cuts a stream into frames: int32 length, then that many bytes. A frame that lies within one chunk is a slice of
 * it; one that is spread over several is assembled, in memory of some four times what has arrived (or 64 KiB).
 *
 *     push(chunk) … next() → frame with its length prefix, or undefined until more is pushed
 */
export class FrameSplitter {
  readonly #maxBytes: number
  readonly #headBytes: number
  readonly #check: ((head: Buffer) => void) | undefined
  #buffer: Buffer = NOTHING
  /** Unread part of #buffer. */
  #from = 0
  #to = 0
  /** Of #buffer, while it is ours to append to and not a chunk that somebody gave. */
  #memory: FrameMemory | undefined
  /** Frames in #memory that nobody holds it for: it may not be used again then, and is left to the collector. */
  #unheld = 0
  #checked = false
  /** The frame that came last is in #memory, and nobody has asked for it. */
  #isTakeable = false

  constructor(options: FrameOptions = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_FRAME_BYTES
    this.#headBytes = options.headBytes ?? 0
    this.#check = options.check
  }

  /** Bytes that have arrived and are not yet part of a frame that was taken. */
  get buffered(): number {
    return this.#to - this.#from
  }

  push(chunk: Buffer): void {
    if (this.buffered === 0) {
      this.#leaveMemory()
      this.#buffer = chunk
      this.#from = 0
      this.#to = chunk.length
      return
    }
    this.#makeRoom(chunk.length)
    chunk.copy(this.#buffer, this.#to)
    this.#to += chunk.length
  }

  /**
   * What the frame that came last lies in, held for the caller, who may release it when nobody needs the frame any more; undefined where it
   * lies in a chunk, and for who asks twice, or after more was pushed. A frame for which nobody asks stays as it is for ever.
   */
  takeMemory(): FrameMemory | undefined {
    if (this.#memory === undefined || !this.#isTakeable) return undefined
    const memory = this.#memory.hold()
    this.#isTakeable = false
    this.#unheld--
    if (this.buffered === 0) {
      this.#leaveMemory()
      this.#buffer = NOTHING
      this.#from = 0
      this.#to = 0
    }
    return memory
  }

  #leaveMemory(): void {
    this.#isTakeable = false
    if (this.#unheld === 0) this.#memory?.release()
    this.#memory = undefined
    this.#unheld = 0
  }

  /** The next whole frame. Throws `payload_too_large` or `invalid_request` on a length that is not acceptable, or what `check` throws. */
  next(): Buffer | undefined {
    if (this.buffered < 4) return undefined
    const size = this.#buffer.readInt32BE(this.#from)
    if (!this.#checked) this.#judge(size)
    const total = size + 4
    if (this.buffered < total) return undefined
    const frame = this.#buffer.subarray(this.#from, this.#from + total)
    this.#from += total
    this.#checked = false
    this.#isTakeable = this.#memory !== undefined
    if (this.#isTakeable) this.#unheld++
    return frame
  }

  #judge(size: number): void {
    if (size < this.#headBytes) throw malformed(`a length prefix of at least ${this.#headBytes}, not ${size}`)
    if (size > this.#maxBytes)
      throw new MeshError(
        'payload_too_large',
        `a Kafka frame of ${size} bytes came, at most ${this.#maxBytes} are accepted`,
      )
    if (this.buffered < 4 + this.#headBytes) return
    this.#check?.(this.#buffer.subarray(this.#from + 4, this.#from + 4 + this.#headBytes))
    this.#checked = true
  }

  /** A frame's bytes are never moved or written once it was handed out: what is left moves to a new buffer. */
  #makeRoom(more: number): void {
    const have = this.buffered
    if (this.#memory !== undefined && this.#to + more <= this.#buffer.length) return
    const larger = FrameMemory.take(this.#capacityFor(have + more))
    this.#buffer.copy(larger.buffer, 0, this.#from, this.#to)
    this.#leaveMemory()
    this.#memory = larger
    this.#buffer = larger.buffer
    this.#from = 0
    this.#to = have
  }

  #capacityFor(needed: number): number {
    const total = this.buffered >= 4 ? this.#buffer.readInt32BE(this.#from) + 4 : 0
    const growth = Math.max(FIRST_ASSEMBLY_BYTES, needed * ASSEMBLY_GROWTH)
    // Exact when the frame's end is in reach, so that large frames do not carry a tail of waste.
    return total > needed && total <= growth ? total : needed > total ? needed : growth
  }
}
