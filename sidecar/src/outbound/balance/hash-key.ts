import type { HashKey } from '@weft/schemas/snapshot'
import type { RequestHead } from '../../transport/exchange.ts'
import { cookieValue, firstValue } from '../../transport/fields.ts'
import { hashText } from './hash.ts'
import { draw } from './picker.ts'

/** The hash of a request: requests of one key go to one endpoint. */
export type HashOf = (head: RequestHead) => number

/** The first of the keys that a request has is hashed; for one that has none, the number is drawn. */
export function hashOn(keys: readonly HashKey[], sourceIdentity: string): HashOf {
  const readers = keys.map((key) => readerOf(key, sourceIdentity))
  return (head) => {
    for (const read of readers) {
      const value = read(head)
      if (value !== undefined) return hashText(value)
    }
    return draw(2 ** 32)
  }
}

type Reader = (head: RequestHead) => string | undefined

function readerOf({ header, cookie, queryParameter }: HashKey, sourceIdentity: string): Reader {
  if (header !== undefined) return ({ fields }) => firstValue(fields, header)
  if (cookie !== undefined) return ({ fields }) => cookieValue(fields, cookie)
  if (queryParameter !== undefined) return ({ target }) => queryValue(target, queryParameter)
  // Whoever calls through the listener of the local app is the workload of this sidecar.
  return ({ peer }) => peer.id?.uri ?? sourceIdentity
}

/** As it stands in the target: keys are compared, never decoded. */
function queryValue(target: string, name: string): string | undefined {
  let at = target.indexOf('?')
  while (at !== -1) {
    const from = at + 1
    at = target.indexOf('&', from)
    if (target.startsWith(name, from) && target[from + name.length] === '=')
      return target.slice(from + name.length + 1, at === -1 ? undefined : at)
  }
  return undefined
}
