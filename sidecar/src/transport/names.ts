/**
 * Field names that are common, found by their bytes while these are being checked: no string is made for them, and
 * those that mean something to a connection itself carry their kind, so that no name is compared twice.
 */
import { TOKEN } from './characters.ts'

/** What a field means to the connection. Ordinary fields are the only ones that are handed on. */
export const KIND = {
  ordinary: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  upgrade: 6,
  expect: 7,
  /** Said to the next hop only, and nothing that we act upon. */
  hopByHop: 8,
  trailer: 9,
  te: 10,
} as const

const MEANINGS: ReadonlyMap<string, number> = new Map([
  ['host', KIND.host],
  ['content-length', KIND.contentLength],
  ['transfer-encoding', KIND.transferEncoding],
  ['connection', KIND.connection],
  ['keep-alive', KIND.keepAlive],
  ['upgrade', KIND.upgrade],
  ['expect', KIND.expect],
  ['trailer', KIND.trailer],
  ['te', KIND.te],
  ['http2-settings', KIND.hopByHop],
  ['proxy-connection', KIND.hopByHop],
  ['proxy-authenticate', KIND.hopByHop],
  ['proxy-authorization', KIND.hopByHop],
])

const COMMON =
  'accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-origin age allow authorization baggage ' +
  'cache-control ce-id ce-source ce-specversion ce-time ce-type content-disposition content-encoding content-language content-location ' +
  'content-range content-type cookie date etag expires forwarded from grpc-accept-encoding grpc-encoding grpc-message grpc-status grpc-timeout idempotency-key if-match if-modified-since if-none-match if-range ' +
  'if-unmodified-since last-modified link location max-forwards origin pragma range referer retry-after sec-fetch-dest sec-fetch-mode ' +
  'sec-fetch-site server set-cookie strict-transport-security traceparent tracestate user-agent vary via www-authenticate ' +
  'x-forwarded-client-cert x-forwarded-for x-forwarded-host x-forwarded-proto x-request-id'

export class KnownName {
  readonly text: string
  readonly kind: number

  constructor(text: string) {
    this.text = text
    this.kind = MEANINGS.get(text) ?? KIND.ordinary
  }
}

/** One step of the hash over the bytes of a name in lower case. */
export const hashStep = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) | 0

/** Open addressing; a power of two some four times the number of names, so that a probe seldom goes on. */
const SLOTS = 512
const slots = new Array<KnownName | undefined>(SLOTS).fill(undefined)

for (const text of [...COMMON.split(' '), ...MEANINGS.keys()]) {
  let at = hashText(text) & (SLOTS - 1)
  while (slots[at] !== undefined) at = (at + 1) & (SLOTS - 1)
  slots[at] = new KnownName(text)
}

function hashText(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = hashStep(hash, text.charCodeAt(at))
  return hash
}

/** The known name that these bytes spell, in any case of letters. `hash` is that of the bytes in lower case. */
export function knownName(buffer: Buffer, from: number, to: number, hash: number): KnownName | undefined {
  for (let at = hash & (SLOTS - 1); ; at = (at + 1) & (SLOTS - 1)) {
    const name = slots[at]
    if (name === undefined) return undefined
    if (name.text.length === to - from && spells(buffer, from, name.text)) return name
  }
}

function spells(buffer: Buffer, from: number, text: string): boolean {
  for (let at = 0; at < text.length; at++)
    if (TOKEN[buffer[from + at] as number] !== text.charCodeAt(at)) return false
  return true
}

/** What a name in lower case means to a connection. */
export const kindOf = (name: string): number => MEANINGS.get(name) ?? KIND.ordinary
