/**
 * Memory for frames that do not lie within one read, and for batches that are written anew. It is used again when the socket has taken what
 * was in it: memory outside of its heap makes V8 mark all of the heap again and again, and a frame of a megabyte lives just long
 * enough to be promoted (docs/adr, 0021). What is never released is left to the collector, which is always right.
 */
const LEAST_BYTES = 64 * 1024
const MOST_BYTES = 4 * 1024 * 1024
/** What lies ready for all connections together. */
const MAX_SPARE_BYTES = 16 * 1024 * 1024

/** By size, powers of two from LEAST_BYTES on. */
const spare: Buffer[][] = []
let spareBytes = 0

const classOf = (size: number): number => Math.max(0, Math.ceil(Math.log2(size / LEAST_BYTES)))

/** A buffer, and how many still need what is in it. */
export class FrameMemory {
  readonly buffer: Buffer
  #holders = 1

  private constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  /** At least `size` bytes, held once. */
  static take(size: number): FrameMemory {
    if (size > MOST_BYTES) return new FrameMemory(Buffer.allocUnsafeSlow(size))
    const index = classOf(size)
    const known = spare[index]?.pop()
    if (known === undefined) return new FrameMemory(Buffer.allocUnsafeSlow(LEAST_BYTES << index))
    spareBytes -= known.length
    return new FrameMemory(known)
  }

  hold(): this {
    this.#holders++
    return this
  }

  /** Of the last holder: the bytes may be other ones from now on. */
  release(): void {
    if (--this.#holders !== 0) return
    const { length } = this.buffer
    if (length > MOST_BYTES || spareBytes + length > MAX_SPARE_BYTES) return
    spareBytes += length
    const index = classOf(length)
    spare[index] ??= []
    spare[index].push(this.buffer)
  }
}
