/** What a scanned response means (RFC 9112, section 6.3). */
import { type RequestHead, type ResponseHead, UNKNOWN_LENGTH } from '../exchange.ts'
import { malformed } from '../malformed.ts'
import { FieldsReader } from './fields-reader.ts'
import { type HeadScanner, START_MARKS } from './head-scanner.ts'
import { BODY } from './message-reader.ts'

export const hasNoBody = (method: string, status: number): boolean =>
  status === 204 || status === 304 || status < 200 || method === 'HEAD'

export class ResponseHeadReader {
  readonly #fields = new FieldsReader()
  /** Of the head that was read last: */
  keepsAlive = false
  /** How the body ends: bytes, or one of BODY. */
  body: number = 0
  /** Seconds that the server keeps an idle connection, where it says so. */
  keepAliveSeconds: number | undefined

  /** `request`: what is answered. Throws MeshError. */
  read(
    scanner: HeadScanner,
    bytes: { readonly buffer: Buffer; readonly from: number; readonly to: number },
    request: Pick<RequestHead, 'method' | 'upgrade'>,
  ): ResponseHead {
    const text = bytes.buffer.toString('latin1', bytes.from, bytes.to)
    const status = scanner.marks[0] as number
    const isHttp10 = scanner.marks[1] === 0
    const fields = this.#fields
    fields.read(text, scanner, START_MARKS.response)
    if (status === 101) return this.#switched(request)
    if (isHttp10 && fields.length === UNKNOWN_LENGTH)
      throw malformed('expected no Transfer-Encoding from HTTP/1.0')
    if (fields.trailer !== '' && fields.length === UNKNOWN_LENGTH)
      fields.fields.push('trailer', fields.trailer)
    this.keepsAlive = !fields.hasClose && (!isHttp10 || fields.hasKeepAlive)
    this.keepAliveSeconds = timeoutIn(fields.keepAlive)
    this.body = bodyOf(request.method, status, fields.length)
    if (this.body === BODY.untilClose) this.keepsAlive = false
    return { status, fields: fields.fields, length: fields.length ?? UNKNOWN_LENGTH }
  }

  /** The bytes of another protocol follow, until the connection ends. */
  #switched({ upgrade }: Pick<RequestHead, 'upgrade'>): ResponseHead {
    const { upgrade: protocol, fields, length } = this.#fields
    if (upgrade === undefined) throw malformed('expected no 101: nothing was asked to be upgraded')
    if (protocol.toLowerCase() !== upgrade) throw malformed(`expected 101 to go on with ${upgrade}`)
    if (length !== undefined) throw malformed('expected a 101 without the length of a body')
    this.keepsAlive = false
    this.body = BODY.untilClose
    return { status: 101, fields, length: UNKNOWN_LENGTH }
  }
}

function bodyOf(method: string, status: number, length: number | undefined): number {
  if (status < 200) return BODY.interim
  if (hasNoBody(method, status)) return 0
  if (length === undefined) return BODY.untilClose
  return length === UNKNOWN_LENGTH ? BODY.chunked : length
}

/** `timeout=5, max=100` as Node, Apache and others send it. */
function timeoutIn(keepAlive: string): number | undefined {
  if (keepAlive === '') return undefined
  const match = /\btimeout=(\d{1,6})\b/i.exec(keepAlive)
  return match === null ? undefined : Number(match[1])
}
