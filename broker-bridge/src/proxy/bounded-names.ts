/** Names kept apart in metrics: far more than a workload has topics and groups, few enough for a scrape. */
const MAX_NAMES = 1_000
/** Kafka's limit for topics; groups may be longer, and are never meant to be. */
export const MAX_NAME_LENGTH = 249
const OTHER = 'other'

/** Label values for names that a client chooses: the first thousand as they are, all others as one. */
export class BoundedNames {
  readonly #names = new Set<string>()

  label(name: string): string {
    if (this.#names.has(name)) return name
    if (this.#names.size >= MAX_NAMES || name.length > 2 * MAX_NAME_LENGTH) return OTHER
    this.#names.add(name)
    return name
  }
}
