export interface CommitterOptions {
  /** What may be committed now, by partition. */
  readonly committable: () => ReadonlyMap<number, bigint>
  readonly commit: (offsets: ReadonlyMap<number, bigint>) => Promise<void>
  /** A commit failed; it is repeated by itself while the partitions are ours. */
  readonly onFailure: (error: unknown) => void
}

const INTERVAL_MS = 100
const RETRY_MS = 1_000
/** Notes of progress (one per acknowledgement) after which the interval is not waited for. */
const MAX_NOTES = 500

/**
 * Commits soon after progress, one commit at a time. While it is held it begins none: a commit that is on its way while the
 * group is joined anew would be sent under the new generation, for partitions that are by then another's.
 */
export class Committer {
  readonly #options: CommitterOptions
  /** What the group has on record, as far as is known. */
  readonly #committed = new Map<number, bigint>()
  #flight: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #notes = 0
  #held = true

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  /** The partition is ours; the group has `committed` on record for it, or nothing. */
  begin(partition: number, committed: bigint | undefined): void {
    if (committed === undefined) this.#committed.delete(partition)
    else this.#committed.set(partition, committed)
  }

  /** Something may have become committable. */
  note(): void {
    this.#notes++
    this.#plan(INTERVAL_MS)
  }

  /** Begins no more commits, and waits for the one in flight. */
  async hold(): Promise<void> {
    this.#held = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#flight
  }

  release(): void {
    this.#held = false
    this.#plan(INTERVAL_MS)
  }

  /** Commits once, to be called while held: for revocation and for the end. False where it failed. */
  flush(): Promise<boolean> {
    return this.#commit()
  }

  #plan(delayMs: number): void {
    if (this.#held || this.#flight !== undefined) return
    if (this.#notes >= MAX_NOTES) this.#start()
    else this.#timer ??= setTimeout(() => this.#start(), delayMs)
  }

  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#notes = 0
    this.#flight = this.#commit().then((done) => {
      this.#flight = undefined
      if (!done) this.#plan(RETRY_MS)
      else if (this.#notes > 0) this.#plan(INTERVAL_MS)
    })
  }

  async #commit(): Promise<boolean> {
    const moved = new Map<number, bigint>()
    for (const [partition, offset] of this.#options.committable())
      if (this.#committed.get(partition) !== offset) moved.set(partition, offset)
    if (moved.size === 0) return true
    try {
      await this.#options.commit(moved)
      for (const [partition, offset] of moved) this.#committed.set(partition, offset)
      return true
    } catch (error) {
      this.#options.onFailure(error)
      return false
    }
  }
}
