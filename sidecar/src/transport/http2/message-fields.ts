/**
 * What the fields of a message say, gathered while its header block is decoded (RFC 9113, section 8). As strict as the
 * HTTP/1.1 reader: what the next server could read differently is malformed here, whatever would become of it.
 */
import { MeshError } from '@weft/schemas/error'
import { isAuthority } from '../characters.ts'
import {
  type Fields,
  newNotes,
  type Peer,
  type RequestHead,
  type ResponseHead,
  UNKNOWN_LENGTH,
} from '../exchange.ts'
import { removeFields } from '../fields.ts'
import { isGrpcType } from '../grpc.ts'
import { malformed } from '../malformed.ts'
import { KIND } from '../names.ts'
import { NOT_IN_TRAILERS } from '../trailers.ts'
import { isProtocol } from '../upgrade.ts'
import { type FieldSink, MALFORMED } from './hpack/decoder.ts'
import { ENTRY_OVERHEAD_BYTES, PSEUDO } from './hpack/static-table.ts'
import type { Http2Limits } from './limits.ts'

/** Fifteen digits are below 2^53, so that no two parsers see different numbers. */
const CONTENT_LENGTH = /^[0-9]{1,15}$/
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Visible ASCII without `#`, as in a request line. */
const PATH = /^\/[!-"$-~]*$/
const STATUS = /^[1-9][0-9]{2}$/

export class MessageFields implements FieldSink {
  readonly #limits: Http2Limits
  fields: Fields = []
  neverIndexed: string[] | undefined
  #method: string | undefined
  #scheme: string | undefined
  #path: string | undefined
  #authority: string | undefined
  #status: string | undefined
  #protocol: string | undefined
  #host: string | undefined
  #contentLength: string | undefined
  #cookieAt = -1
  #isGrpc = false
  #hasOrdinary = false
  #fault = ''
  #bytes = 0
  #count = 0
  #isTooLarge = false
  /** What was found to be well-formed last: on most connections all are the same text. */
  #checkedAuthority = ''
  #checkedPath = ''

  constructor(limits: Http2Limits) {
    this.#limits = limits
  }

  /** Forgets the message before. */
  begin(): void {
    this.fields = []
    this.neverIndexed = undefined
    this.#method = undefined
    this.#scheme = undefined
    this.#path = undefined
    this.#authority = undefined
    this.#status = undefined
    this.#protocol = undefined
    this.#host = undefined
    this.#contentLength = undefined
    this.#cookieAt = -1
    this.#isGrpc = false
    this.#hasOrdinary = false
    this.#fault = ''
    this.#bytes = 0
    this.#count = 0
    this.#isTooLarge = false
  }

  onField(name: string, value: string, kind: number): void {
    // Decoding goes on, for the sake of the table; what is too much is not kept.
    this.#bytes += name.length + value.length + ENTRY_OVERHEAD_BYTES
    if (++this.#count > this.#limits.maxFields || this.#bytes > this.#limits.maxHeadBytes) {
      this.#isTooLarge = true
      return
    }
    if (kind === KIND.ordinary) this.#ordinary(name, value)
    else if (kind >= PSEUDO.method) this.#special(name, value, kind)
    else this.#meaningful(name, value, kind)
  }

  onNeverIndexed(name: string): void {
    this.neverIndexed ??= []
    this.neverIndexed.push(name)
  }

  /** `isEnd`: no body follows. Throws MeshError. */
  request(peer: Peer, isEnd: boolean): RequestHead {
    this.#check()
    const method = this.#method
    if (method === undefined || !METHOD.test(method)) throw malformed('expected :method')
    if (this.#status !== undefined) throw malformed('expected no :status in a request')
    const upgrade = this.#upgradeOf(method)
    if (!this.#scheme) throw malformed('expected :scheme')
    const length = this.#length() ?? (isEnd && upgrade === undefined ? 0 : UNKNOWN_LENGTH)
    if (isEnd && length > 0) throw malformed(`expected a body of ${length} bytes; none came`)
    if (upgrade !== undefined && length !== UNKNOWN_LENGTH)
      throw malformed('expected CONNECT without a length')
    return {
      method: upgrade === undefined ? method : 'GET',
      target: this.#checkTarget(method),
      authority: this.#checkAuthority(),
      fields: this.fields,
      length,
      upgrade,
      isGrpc: this.#isGrpc,
      peer,
      notes: newNotes(),
      neverIndexed: this.neverIndexed,
    }
  }

  /** Throws MeshError. */
  response(): ResponseHead {
    this.#check()
    const status = this.#status
    if (status === undefined || !STATUS.test(status)) throw malformed('expected :status of three digits')
    if (this.#isRequestLike()) throw malformed('expected no pseudo-header field but :status in an answer')
    if (status === '101') throw malformed('expected no 101: HTTP/2 has none')
    return {
      status: Number(status),
      fields: this.fields,
      length: this.#length() ?? UNKNOWN_LENGTH,
      neverIndexed: this.neverIndexed,
    }
  }

  /** Throws MeshError. */
  trailers(): Fields | undefined {
    this.#check()
    if (this.#isRequestLike() || this.#status !== undefined)
      throw malformed('expected no pseudo-header field in trailers')
    removeFields(this.fields, (name) => NOT_IN_TRAILERS.has(name))
    return this.fields.length === 0 ? undefined : this.fields
  }

  /** What a request asks to go on with: an extended CONNECT, which is HTTP/1.1's GET with Upgrade (RFC 8441, section 5). */
  #upgradeOf(method: string): string | undefined {
    const protocol = this.#protocol
    if (protocol === undefined) {
      if (method === 'CONNECT') throw new MeshError('not_implemented', 'expected no CONNECT here')
      return undefined
    }
    if (method !== 'CONNECT') throw malformed('expected :protocol with CONNECT only')
    if (!isProtocol(protocol)) throw malformed('expected the name of a protocol in :protocol')
    return protocol.toLowerCase()
  }

  #ordinary(name: string, value: string): void {
    this.#hasOrdinary = true
    if (name === 'cookie') {
      // RFC 9113, section 8.2.3: crumbs are put together for whoever is not asked in HTTP/2.
      if (this.#cookieAt !== -1) {
        this.fields[this.#cookieAt] = `${this.fields[this.#cookieAt]}; ${value}`
        return
      }
      this.#cookieAt = this.fields.length + 1
    } else if (name === 'content-type') this.#isGrpc = isGrpcType(value)
    this.fields.push(name, value)
  }

  #special(name: string, value: string, kind: number): void {
    if (kind === MALFORMED) this.#fault = 'expected names in lower case and values without control characters'
    else if (kind === PSEUDO.unknown) this.#fault = `expected pseudo-header fields of RFC 9113; ${name} came`
    else if (this.#hasOrdinary) this.#fault = `expected ${name} before all other fields`
    else if (this.#setPseudo(kind, value) !== undefined) this.#fault = `expected one ${name}; several came`
  }

  /** Returns what was there before. */
  #setPseudo(kind: number, value: string): string | undefined {
    let before: string | undefined
    if (kind === PSEUDO.method) {
      before = this.#method
      this.#method = value
    } else if (kind === PSEUDO.scheme) {
      before = this.#scheme
      this.#scheme = value
    } else if (kind === PSEUDO.path) {
      before = this.#path
      this.#path = value
    } else if (kind === PSEUDO.authority) {
      before = this.#authority
      this.#authority = value
    } else if (kind === PSEUDO.status) {
      before = this.#status
      this.#status = value
    } else {
      before = this.#protocol
      this.#protocol = value
    }
    return before
  }

  #meaningful(name: string, value: string, kind: number): void {
    this.#hasOrdinary = true
    if (kind === KIND.host) {
      if (this.#host !== undefined) this.#fault = 'expected one Host; several came'
      this.#host = value
    } else if (kind === KIND.contentLength) {
      if (this.#contentLength !== undefined) this.#fault = 'expected one Content-Length; several came'
      this.#contentLength = value
    } else if (kind === KIND.expect || kind === KIND.trailer) this.fields.push(name, value)
    else if (kind === KIND.te) {
      if (value !== 'trailers') this.#fault = 'expected no TE but trailers'
    } else if (kind !== KIND.hopByHop || name === 'proxy-connection')
      this.#fault = `expected no field of the connection in HTTP/2; ${name} came`
  }

  #check(): void {
    if (this.#isTooLarge) {
      const { maxFields, maxHeadBytes } = this.#limits
      throw new MeshError(
        'headers_too_large',
        `expected at most ${maxFields} fields and ${maxHeadBytes} bytes of them`,
      )
    }
    if (this.#fault !== '') throw malformed(this.#fault)
  }

  #isRequestLike(): boolean {
    return (this.#method ?? this.#scheme ?? this.#path ?? this.#authority ?? this.#protocol) !== undefined
  }

  #length(): number | undefined {
    const text = this.#contentLength
    if (text === undefined) return undefined
    if (!CONTENT_LENGTH.test(text)) throw malformed('expected Content-Length as digits only')
    return Number(text)
  }

  #checkTarget(method: string): string {
    const path = this.#path ?? ''
    if (path === this.#checkedPath && path !== '') return path
    if (path === '*' && method === 'OPTIONS') return path
    if (!PATH.test(path)) throw malformed('expected :path to begin with / and to hold visible characters')
    this.#checkedPath = path
    return path
  }

  /** Host is a copy of :authority or, where a request came from HTTP/1.1, stands for it (RFC 9113, section 8.3.1). */
  #checkAuthority(): string {
    const authority = this.#authority ?? this.#host ?? ''
    if (this.#host !== undefined && this.#host !== authority)
      throw malformed('expected Host to be what :authority is')
    if (authority !== this.#checkedAuthority || authority === '') {
      if (!isAuthority(authority)) throw malformed('expected a host and an optional port in :authority')
      this.#checkedAuthority = authority
    }
    return authority
  }
}
