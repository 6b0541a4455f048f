/** What @peculiar/x509 asks for when it is loaded (tsyringe throws without it); see control-plane/src/serve/ca. */
const metadata = new WeakMap<object, Map<unknown, unknown>>()

const read = (key: unknown, target: object): unknown => metadata.get(target)?.get(key)

function write(key: unknown, value: unknown, target: object): void {
  metadata.set(target, (metadata.get(target) ?? new Map<unknown, unknown>()).set(key, value))
}

Object.assign(Reflect, { getMetadata: read, getOwnMetadata: read, defineMetadata: write })
