/** What a scanned request means: target forms, Host, version (RFC 9112, sections 3 and 6). */
import { isAuthority } from '../characters.ts'
import { newNotes, type Peer, type RequestHead, UNKNOWN_LENGTH } from '../exchange.ts'
import { malformed } from '../malformed.ts'
import { requestedUpgrade } from '../upgrade.ts'
import { FieldsReader } from './fields-reader.ts'
import { type HeadScanner, START_MARKS } from './head-scanner.ts'

export interface RequestSource {
  readonly peer: Peer
  /** A proxy takes `GET http://host/path`; a server for one service refuses it. */
  readonly acceptsAbsoluteForm: boolean
}

export class RequestHeadReader {
  readonly #source: RequestSource
  readonly #fields = new FieldsReader()
  /** Set where a tunnel says what its requests are for, whatever their Host. */
  tunnelAuthority: string | undefined
  /** Of the head that was read last: */
  isHttp10 = false
  wantsClose = false
  expectsContinue = false
  /** The last Host that was found to be one: on most connections all are the same text. */
  #checkedHost: string | undefined

  constructor(source: RequestSource) {
    this.#source = source
  }

  /** The head in the bytes [from, to) of the buffer. For CONNECT the target is the authority. Throws MeshError. */
  read(scanner: HeadScanner, buffer: Buffer, from: number, to: number): RequestHead {
    const text = buffer.toString('latin1', from, to)
    const marks = scanner.marks
    const fields = this.#fields
    fields.read(text, scanner, START_MARKS.request)
    const method = text.substring(marks[0] as number, marks[1] as number)
    const target = text.substring(marks[2] as number, marks[3] as number)
    this.isHttp10 = marks[4] === 0
    this.wantsClose = fields.hasClose || this.isHttp10
    this.expectsContinue = false
    this.#checkFraming()
    const host = this.#hostOf(fields.host)
    this.#keepEndToEnd()
    const length = fields.length ?? 0
    const upgrade =
      fields.hasUpgrade && !this.isHttp10 ? requestedUpgrade(fields.upgrade, method, length) : undefined
    let path = target
    let authority = host
    if (method === 'CONNECT') authority = connectTarget(target, length)
    else if (target.charCodeAt(0) !== SLASH && (target !== '*' || method !== 'OPTIONS')) {
      const absolute = this.#acceptsAbsoluteForm() ? absoluteForm(target, method) : undefined
      if (absolute === undefined) throw malformed('expected a request target that begins with /')
      path = absolute.path
      authority = absolute.authority
    }
    return {
      method,
      target: path,
      authority: this.tunnelAuthority ?? authority,
      fields: fields.fields,
      length: upgrade === undefined ? length : UNKNOWN_LENGTH,
      upgrade,
      isGrpc: false,
      peer: this.#source.peer,
      notes: newNotes(),
    }
  }

  #acceptsAbsoluteForm(): boolean {
    return this.#source.acceptsAbsoluteForm && this.tunnelAuthority === undefined
  }

  #checkFraming(): void {
    if (this.isHttp10 && this.#fields.length === UNKNOWN_LENGTH)
      throw malformed('expected no Transfer-Encoding in an HTTP/1.0 request')
  }

  #hostOf(host: string | undefined): string {
    if (host === undefined) {
      if (!this.isHttp10) throw malformed('expected one Host; none came')
      return ''
    }
    if (host !== this.#checkedHost) {
      if (!isAuthority(host)) throw malformed('expected a host and an optional port in Host')
      this.#checkedHost = host
    }
    return host
  }

  #keepEndToEnd(): void {
    const { expect, trailer, length, fields } = this.#fields
    if (expect !== '' && !this.isHttp10) {
      this.expectsContinue = expect.toLowerCase() === '100-continue'
      fields.push('expect', expect)
    }
    if (trailer !== '' && length === UNKNOWN_LENGTH) fields.push('trailer', trailer)
  }
}

const SLASH = 47

function connectTarget(target: string, length: number): string {
  if (!isAuthority(target) || !/:[0-9]+$/.test(target)) throw malformed('expected CONNECT host:port')
  if (length !== 0) throw malformed('expected CONNECT without a body')
  return target
}

/** `http://authority/path?query`; RFC 9112, section 3.2.2: it overrides Host. No user information: `@` is in no authority. */
function absoluteForm(
  target: string,
  method: string,
): { readonly authority: string; readonly path: string } | undefined {
  if (target.slice(0, 7).toLowerCase() !== 'http://') return undefined
  const end = target.slice(7).search(/[/?]/)
  const authority = end === -1 ? target.slice(7) : target.slice(7, 7 + end)
  if (!isAuthority(authority)) return undefined
  const rest = end === -1 ? '' : target.slice(7 + end)
  if (rest === '' && method === 'OPTIONS') return { authority, path: '*' }
  return { authority, path: rest.charCodeAt(0) === SLASH ? rest : `/${rest}` }
}
