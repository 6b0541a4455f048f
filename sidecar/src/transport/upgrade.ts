/**
 * Going on with another protocol on the same connection (RFC 9110, section 7.8). WebSocket is the one that everybody means; others are
 * carried alike. Between sidecars, and to callers over HTTP/2, it is an extended CONNECT (RFC 8441), which has no key: where
 * one side has it and the other one has not, it is made or answered here.
 */
import { createHash, randomBytes } from 'node:crypto'
import { MeshError } from '@weft/schemas/error'
import type { Fields, RequestHead, ResponseHead } from './exchange.ts'
import { firstValue, removeFields } from './fields.ts'
import { malformed } from './malformed.ts'

/** Offers that may be passed over in silence: we speak HTTP/2 by prior knowledge and TLS from the first byte (RFC 9113, section 3.1). */
const IGNORED = /^(?:h2c?|HTTP\/2(?:\.0)?|TLS\/1\.[0-3])$/i
/** `name` or `name/version`. */
const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64})?$/

export const isProtocol = (text: string): boolean => PROTOCOL.test(text)

/** The protocol that a request of HTTP/1.1 asks for, in lower case; undefined where it offers only what we pass over. Throws MeshError. */
export function requestedUpgrade(list: string, method: string, length: number): string | undefined {
  const wanted = list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '' && !IGNORED.test(item))
  const [protocol, ...others] = wanted
  if (protocol === undefined) return undefined
  if (!isProtocol(protocol)) throw malformed('expected the name of a protocol in Upgrade')
  if (others.length > 0)
    throw new MeshError('not_implemented', 'expected one protocol in Upgrade; several came')
  if (method !== 'GET') throw new MeshError('not_implemented', `expected Upgrade with GET; ${method} came`)
  // Where its body ends is where the tunnel begins: two servers must not see it in two places.
  if (length !== 0) throw malformed('expected no body with Upgrade')
  return protocol.toLowerCase()
}

const KEY = 'sec-websocket-key'
const ACCEPT = 'sec-websocket-accept'
const KEY_BYTES = 16

/** RFC 6455, section 4.2.2. */
const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

/** A request for another protocol that has gone out on a connection of HTTP/1.1, until it is answered. */
export class PendingUpgrade {
  /** As it is sent: a caller that came over HTTP/2 has no key. */
  readonly head: RequestHead
  /** What came for the tunnel: the other side has not said yet that it will take it. */
  readonly early: Buffer[] = []
  readonly #key: string | undefined

  constructor(head: RequestHead) {
    const lacksKey = head.upgrade === 'websocket' && firstValue(head.fields, KEY) === undefined
    this.#key = lacksKey ? randomBytes(KEY_BYTES).toString('base64') : undefined
    this.head = this.#key === undefined ? head : { ...head, fields: [...head.fields, KEY, this.#key] }
  }

  /** Checks and takes off what answers the key that was made here. Throws MeshError. */
  check({ fields }: ResponseHead): void {
    if (this.#key === undefined) return
    if (firstValue(fields, ACCEPT) !== acceptOf(this.#key))
      throw malformed('expected the answer to the WebSocket key')
    removeFields(fields, (name) => name === ACCEPT)
  }
}

/** The fields of a 101, with the answer to the caller's key where the app, spoken to over HTTP/2, had none to give. */
export function answeredKey({ upgrade, fields: asked }: RequestHead, fields: Fields): Fields {
  const key = upgrade === 'websocket' ? firstValue(asked, KEY) : undefined
  return key === undefined || firstValue(fields, ACCEPT) !== undefined
    ? fields
    : [...fields, ACCEPT, acceptOf(key)]
}
