/**
 * The streams of one connection, by number. Not a Map: each time one is rehashed, the table it had goes on pointing to the new
 * one and to the streams of that moment. Once a dead table is old, the collector of the young generation takes all of that for
 * alive; half of all requests then outlived it, and it cost a quarter of the sidecar's time.
 *
 * Open addressing with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4): numbers come in order,
 * so that streams lie side by side and are nearly always found where they are looked for first.
 */
interface Numbered {
  readonly id: number
}

/** A power of two, as every size of the table. */
const FEWEST_SLOTS = 16

export class StreamTable<Stream extends Numbered> {
  #slots = emptySlots<Stream>(FEWEST_SLOTS)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: number): Stream | undefined {
    return this.#slots[this.#find(id)]
  }

  /** Takes the place of one with the same number. */
  add(stream: Stream): void {
    const at = this.#find(stream.id)
    if (this.#slots[at] === undefined) this.#size++
    this.#slots[at] = stream
    if (this.#size * 2 > this.#slots.length) this.#resize(this.#slots.length * 2)
  }

  delete(id: number): void {
    const slots = this.#slots
    let hole = this.#find(id)
    if (slots[hole] === undefined) return
    const mask = slots.length - 1
    // What was pushed on by the one that leaves moves up: there is never a hole between a stream and its place.
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at]
      if (stream === undefined) break
      const distance = (at - placeOf(stream.id, mask)) & mask
      if (distance < ((at - hole) & mask)) continue
      slots[hole] = stream
      hole = at
    }
    slots[hole] = undefined
    this.#size--
  }

  /** Also gives back what a busy time has taken. */
  clear(): void {
    this.#slots = emptySlots(FEWEST_SLOTS)
    this.#size = 0
  }

  /** A copy: streams may come and go while it is walked. */
  all(): Stream[] {
    return this.#slots.filter((stream) => stream !== undefined)
  }

  /** The slot of that stream, or the free one where it would be. */
  #find(id: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = placeOf(id, mask)
    for (let stream = slots[at]; stream !== undefined && stream.id !== id; stream = slots[at])
      at = (at + 1) & mask
    return at
  }

  #resize(size: number): void {
    const streams = this.all()
    this.#slots = emptySlots(size)
    for (const stream of streams) this.#slots[this.#find(stream.id)] = stream
  }
}

const emptySlots = <Stream>(size: number): (Stream | undefined)[] =>
  new Array<Stream | undefined>(size).fill(undefined)

/** The streams of one side have odd numbers, or even ones: the lowest bit says nothing. */
const placeOf = (id: number, mask: number): number => (id >>> 1) & mask
