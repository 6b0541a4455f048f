import { type Document, isScalar, visit } from 'yaml'

/** More than anybody reads. */
const MAX_REPORTED = 100

/**
 * Keys that stand twice in one map. The parser could look for them itself, but compares each with each: quadratic,
 * a second and more for a hostile file of a few hundred kilobytes.
 */
export function repeatedKeys(
  document: Document.Parsed,
): readonly { readonly offset: number; readonly name: string }[] {
  const found: { offset: number; name: string }[] = []
  visit(document, {
    Map(_key, map) {
      const names = new Set<string>()
      for (const { key } of map.items) {
        if (!isScalar(key)) continue
        const name = String(key.value)
        if (names.has(name)) found.push({ name, offset: key.range?.[0] ?? 0 })
        names.add(name)
      }
      return found.length > MAX_REPORTED ? visit.BREAK : undefined
    },
  })
  return found
}
