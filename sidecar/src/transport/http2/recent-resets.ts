/** Streams that were reset here not long ago: frames of theirs that were under way are no fault of the other side. */
export class RecentResets {
  readonly #streamIds = new Set<number>()

  add(streamId: number): void {
    const ids = this.#streamIds
    ids.add(streamId)
    if (ids.size <= MAX_REMEMBERED) return
    for (const oldest of ids) {
      ids.delete(oldest)
      return
    }
  }

  has(streamId: number): boolean {
    return this.#streamIds.has(streamId)
  }
}

/** Far more than a window can hold frames of. */
const MAX_REMEMBERED = 1024
