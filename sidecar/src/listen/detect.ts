/**
 * Which protocol a connection speaks, told from its first bytes. Each detector looks at bytes only, and asks for more for as
 * long as what has come could still be its protocol: how the bytes were split into reads never changes the answer.
 */

import { PREFACE } from '../transport/http2/protocol.ts'

/** tcp: bytes that nobody here reads. */
export type Protocol = 'http1' | 'http2' | 'tls' | 'tcp'

/** unsure: not decided before more has come. */
type Verdict = 'yes' | 'no' | 'unsure'

interface Detector {
  readonly protocol: Protocol
  readonly look: (bytes: Buffer) => Verdict
}

/** One record type handshake, version 3.x, two bytes of length, message ClientHello (RFC 8446, sections 4 and 5.1). */
const TLS_HANDSHAKE = 0x16
const TLS_MAJOR = 3
const TLS_CLIENT_HELLO = 1
const TLS_HELLO_AT = 5
/** `METHOD target HTTP/1.x` (RFC 9112, section 3), in which the target goes on for as long as it is visible. */
const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,24} [!-~]+ HTTP\/1\.[01]\r?\n/
const BEGIN_OF_REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,24}(?: (?:[!-~]+(?: [HTP/1.0]{0,8}\r?)?)?)?$/
/** Bounds what is held of a connection that is not understood yet. Servers refuse longer request lines. */
const MAX_REQUEST_LINE_BYTES = 8 * 1024

/** Asked in this order: the preface of HTTP/2 begins like a request line, so it is asked first. */
const DETECTORS: readonly Detector[] = [
  { protocol: 'tls', look: isClientHello },
  { protocol: 'http2', look: isHttp2Preface },
  { protocol: 'http1', look: isRequestLine },
]

/** The protocol that begins with these bytes; undefined while more of them are needed. Pure. */
export function detect(bytes: Buffer): Protocol | undefined {
  for (const { protocol, look } of DETECTORS) {
    const verdict = look(bytes)
    if (verdict === 'yes') return protocol
    if (verdict === 'unsure') return undefined
  }
  return 'tcp'
}

function isClientHello(bytes: Buffer): Verdict {
  const [type, major] = bytes
  if (type === undefined) return 'unsure'
  if (type !== TLS_HANDSHAKE || (major !== undefined && major !== TLS_MAJOR)) return 'no'
  if (bytes.length <= TLS_HELLO_AT) return 'unsure'
  return bytes[TLS_HELLO_AT] === TLS_CLIENT_HELLO ? 'yes' : 'no'
}

function isHttp2Preface(bytes: Buffer): Verdict {
  const length = Math.min(bytes.length, PREFACE.length)
  if (bytes.compare(PREFACE, 0, length, 0, length) !== 0) return 'no'
  return length === PREFACE.length ? 'yes' : 'unsure'
}

function isRequestLine(bytes: Buffer): Verdict {
  // RFC 9112, section 2.2: an empty line before the request line is forgiven.
  const text = bytes.toString('latin1', 0, MAX_REQUEST_LINE_BYTES).replace(/^\r\n/, '')
  if (REQUEST_LINE.test(text)) return 'yes'
  const isBegun = text === '' || text === '\r' || BEGIN_OF_REQUEST_LINE.test(text)
  return isBegun && bytes.length < MAX_REQUEST_LINE_BYTES ? 'unsure' : 'no'
}
