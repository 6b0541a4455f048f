/** Entries in the order in which the client named them; what it did not name comes last. */
export function inClientOrder<T>(
  names: readonly (string | null)[],
  entries: readonly T[],
  nameOf: (entry: T) => string | null,
): T[] {
  const waiting = new Map<string | null, T[]>()
  for (const entry of entries) {
    const name = nameOf(entry)
    const queue = waiting.get(name)
    if (queue === undefined) waiting.set(name, [entry])
    else queue.push(entry)
  }
  const ordered: T[] = []
  for (const name of names) {
    const entry = waiting.get(name)?.shift()
    if (entry !== undefined) ordered.push(entry)
  }
  for (const queue of waiting.values()) ordered.push(...queue)
  return ordered
}
