import type { HeaderMatch } from '@weft/schemas/snapshot'
import type { Fields } from '../transport/exchange.ts'

/** True where every one of the headers is there with its value, or with any where none is asked for; of several of a name, one is enough. */
export function matchesHeaders(fields: Fields, headers: readonly HeaderMatch[]): boolean {
  return headers.every(({ name, value }) => hasHeader(fields, name, value))
}

function hasHeader(fields: Fields, name: string, value: string | undefined): boolean {
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at] === name && (value === undefined || fields[at + 1] === value)) return true
  return false
}
