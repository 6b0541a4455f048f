/**
 * Which offset of a partition may be committed: everything before it is acknowledged. Offsets are added in the order of the
 * log and acknowledged in any order.
 *
 *     added      10  11  12  13  15  16      (14 is a transaction marker or was compacted away)
 *     acked       x   x       x   x
 *     committable ----^ 12
 */
export class AckedPrefix {
  /** Added and not yet in the prefix, ascending; acknowledged ones among them are in `#acked`. */
  #offsets: bigint[] = []
  #head = 0
  readonly #acked = new Set<bigint>()
  #end: bigint

  /** `start` is the offset that is read first. */
  constructor(start: bigint) {
    this.#end = start
  }

  /** A record has been read. Offsets have to ascend. */
  add(offset: bigint): void {
    if (offset < this.#end) throw new RangeError(`offset ${offset} after ${this.#end - 1n}`)
    this.#offsets.push(offset)
    this.#end = offset + 1n
  }

  /** The log has been read up to `offset` (exclusive): what was between holds no record. */
  advance(offset: bigint): void {
    if (offset > this.#end) this.#end = offset
  }

  acknowledge(offset: bigint): void {
    this.#acked.add(offset)
    for (let first = this.#offsets[this.#head]; first !== undefined && this.#acked.delete(first); ) {
      this.#head++
      first = this.#offsets[this.#head]
    }
    if (this.#head > 1_000 && this.#head * 2 > this.#offsets.length) {
      this.#offsets = this.#offsets.slice(this.#head)
      this.#head = 0
    }
  }

  /** The first offset that is not acknowledged, or where reading goes on when all are. */
  get committable(): bigint {
    return this.#offsets[this.#head] ?? this.#end
  }

  /** Records between `committable` and the end that are read, acknowledged or not: what a crash would deliver again. */
  get span(): number {
    return this.#offsets.length - this.#head
  }
}
