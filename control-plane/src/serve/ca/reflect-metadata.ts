/**
 * The three functions of the reflect-metadata proposal that @peculiar/x509 asks for when it is loaded (its
 * dependency injection, tsyringe, throws without them). Imported before it, for this effect only.
 */
const metadata = new WeakMap<object, Map<unknown, unknown>>()

const read = (key: unknown, target: object): unknown => metadata.get(target)?.get(key)

function write(key: unknown, value: unknown, target: object): void {
  const entries = metadata.get(target) ?? new Map<unknown, unknown>()
  metadata.set(target, entries.set(key, value))
}

// A real reflect-metadata that somebody loaded before stays.
if (!('getMetadata' in Reflect))
  Object.assign(Reflect, { getMetadata: read, getOwnMetadata: read, defineMetadata: write })
