/**
 * Order per key, many keys at a time: of each key at most one item is out, the next one follows when it is done; at most
 * `maxInFlight` items are out. Items without a key are in order with nobody. Among those that may go, the oldest goes first,
 * so `maxInFlight` 1 is the strict order of the partition.
 */
export class KeyLanes<T> {
  readonly #maxInFlight: () => number
  /** Waiting behind an item of the same key that is out or ready. */
  readonly #lanes = new Map<string, Item<T>[]>()
  /** Heads of lanes that may go, by order. */
  readonly #ready: Item<T>[] = []
  #out = 0

  /** The limit is asked each time: it may change while items are out. */
  constructor(maxInFlight: () => number) {
    this.#maxInFlight = maxInFlight
  }

  get out(): number {
    return this.#out
  }

  /** `order` ascends from add to add. */
  add(key: string | undefined, order: bigint, value: T): void {
    const item = { key, order, value }
    const lane = key === undefined ? undefined : this.#lanes.get(key)
    if (lane !== undefined) {
      lane.push(item)
      return
    }
    if (key !== undefined) this.#lanes.set(key, [])
    this.#ready.push(item)
  }

  /** Takes out the next item that may go; undefined where none may now. */
  next(): Item<T> | undefined {
    if (this.#out >= this.#maxInFlight()) return undefined
    const item = this.#ready.shift()
    if (item !== undefined) this.#out++
    return item
  }

  /** The item is dealt with: the next one of its key may go. */
  done(item: Item<T>): void {
    this.#out--
    if (item.key === undefined) return
    const lane = this.#lanes.get(item.key)
    const follower = lane?.shift()
    if (follower === undefined) this.#lanes.delete(item.key)
    else this.#insert(follower)
  }

  #insert(item: Item<T>): void {
    let low = 0
    let high = this.#ready.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#ready[middle] as Item<T>).order < item.order) low = middle + 1
      else high = middle
    }
    this.#ready.splice(low, 0, item)
  }
}

export interface Item<T> {
  readonly key: string | undefined
  readonly order: bigint
  readonly value: T
}
