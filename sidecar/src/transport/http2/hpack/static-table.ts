/** The static table (RFC 7541, appendix A), and what its names mean to a connection. */
import { KIND, kindOf } from '../../names.ts'

/** Kinds of the pseudo-header fields of RFC 9113, section 8.3, and RFC 8441, section 4, beside those of names.ts. */
export const PSEUDO = {
  method: 16,
  scheme: 17,
  path: 18,
  authority: 19,
  status: 20,
  protocol: 21,
  unknown: 22,
} as const

const PSEUDO_KINDS: ReadonlyMap<string, number> = new Map([
  [':method', PSEUDO.method],
  [':scheme', PSEUDO.scheme],
  [':path', PSEUDO.path],
  [':authority', PSEUDO.authority],
  [':status', PSEUDO.status],
  [':protocol', PSEUDO.protocol],
])

/** The kind of a name that begins with a colon. */
export const pseudoKindOf = (name: string): number => PSEUDO_KINDS.get(name) ?? PSEUDO.unknown

const ENTRIES = `:authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200|:status 204|:status 206|\
:status 304|:status 400|:status 404|:status 500|accept-charset|accept-encoding gzip, deflate|accept-language|accept-ranges|accept|\
access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|content-length|\
content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|\
if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|\
server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate`

/** Index 0 is not used: the table counts from 1. */
export const STATIC_NAMES: string[] = ['']
export const STATIC_VALUES: string[] = ['']
export const STATIC_KINDS: number[] = [KIND.ordinary]

for (const entry of ENTRIES.split('|')) {
  const space = entry.indexOf(' ')
  const name = space === -1 ? entry : entry.slice(0, space)
  STATIC_NAMES.push(name)
  STATIC_VALUES.push(space === -1 ? '' : entry.slice(space + 1))
  STATIC_KINDS.push(name.startsWith(':') ? pseudoKindOf(name) : kindOf(name))
}

/** The first index past the static table: where the dynamic one begins. */
export const DYNAMIC_START = STATIC_NAMES.length

/** What an entry counts beside its bytes (RFC 7541, section 4.1). */
export const ENTRY_OVERHEAD_BYTES = 32
/** SETTINGS_HEADER_TABLE_SIZE where nothing else is said; ours in both directions. */
export const DEFAULT_TABLE_BYTES = 4096
