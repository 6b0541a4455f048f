/**
 * From scanned marks to the fields that are handed on, and what the others say about framing and the connection. One
 * object per connection, filled anew for each head: what it holds is valid until the next `read`.
 */
import { MeshError } from '@weft/schemas/error'
import { type Fields, UNKNOWN_LENGTH } from '../exchange.ts'
import { removeFields } from '../fields.ts'
import { malformed } from '../malformed.ts'
import { KIND } from '../names.ts'
import { FIELD_MARKS, type HeadScanner } from './head-scanner.ts'

const NOT_GIVEN = -2
/** Fifteen digits are below 2^53, so that no two parsers see different numbers. */
const CONTENT_LENGTH = /^[0-9]{1,15}$/
const TOKEN_LIST = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*$/

export class FieldsReader {
  fields: Fields = []
  /** Content-Length, UNKNOWN_LENGTH where chunked, undefined where the head says nothing. */
  length: number | undefined
  host: string | undefined
  hasClose = false
  hasKeepAlive = false
  /** Connection names Upgrade: without that it is a field like any other that is not for us. */
  hasUpgrade = false
  keepAlive = ''
  upgrade = ''
  expect = ''
  trailer = ''
  #contentLength = NOT_GIVEN
  #isChunked = false
  readonly #named: string[] = []

  /** `text` is the head as Latin-1, `firstMark` where the marks of the fields begin. Throws MeshError. */
  read(text: string, scanner: HeadScanner, firstMark: number): void {
    this.#clear()
    const { marks, names, fieldCount } = scanner
    for (let index = 0, at = firstMark; index < fieldCount; index++, at += FIELD_MARKS) {
      const name = names[index]
      const value = text.substring(marks[at + 2] as number, marks[at + 3] as number)
      if (name === undefined)
        this.fields.push(text.substring(marks[at] as number, marks[at + 1] as number).toLowerCase(), value)
      else if (name.kind === KIND.ordinary) this.fields.push(name.text, value)
      else this.#special(name.kind, value)
    }
    if (this.#contentLength !== NOT_GIVEN && this.#isChunked)
      throw malformed('expected Content-Length or Transfer-Encoding; both came')
    if (this.#isChunked) this.length = UNKNOWN_LENGTH
    else if (this.#contentLength !== NOT_GIVEN) this.length = this.#contentLength
    // RFC 9110, section 7.6.1: what Connection names is meant for this hop. Fields that transport owns are gone already.
    if (this.#named.length > 0) removeFields(this.fields, (name) => this.#named.includes(name))
  }

  #clear(): void {
    this.fields = []
    this.length = undefined
    this.host = undefined
    this.hasClose = false
    this.hasKeepAlive = false
    this.hasUpgrade = false
    this.keepAlive = ''
    this.upgrade = ''
    this.expect = ''
    this.trailer = ''
    this.#contentLength = NOT_GIVEN
    this.#isChunked = false
    this.#named.length = 0
  }

  #special(kind: number, value: string): void {
    if (kind === KIND.host) {
      if (this.host !== undefined) throw malformed('expected one Host; several came')
      this.host = value
    } else if (kind === KIND.contentLength) this.#readContentLength(value)
    else if (kind === KIND.transferEncoding) this.#readTransferEncoding(value)
    else if (kind === KIND.connection) this.#readConnection(value)
    else if (kind === KIND.keepAlive) this.keepAlive = value
    else if (kind === KIND.upgrade) this.upgrade = this.upgrade === '' ? value : `${this.upgrade}, ${value}`
    else if (kind === KIND.expect) this.expect = value
    else if (kind === KIND.trailer) this.trailer = this.trailer === '' ? value : `${this.trailer}, ${value}`
  }

  #readContentLength(value: string): void {
    if (this.#contentLength !== NOT_GIVEN) throw malformed('expected one Content-Length; several came')
    if (!CONTENT_LENGTH.test(value)) throw malformed('expected Content-Length as digits only')
    this.#contentLength = Number(value)
  }

  #readTransferEncoding(value: string): void {
    if (this.#isChunked) throw malformed('expected one Transfer-Encoding; several came')
    if (value.toLowerCase() !== 'chunked') {
      // A list that names chunked twice, or is no list, is an attempt; another coding is only something that we do not have.
      const codings = TOKEN_LIST.test(value) ? value.toLowerCase().split(/[ \t]*,[ \t]*/) : []
      if (!codings.some((coding) => coding !== 'chunked'))
        throw malformed('expected Transfer-Encoding: chunked')
      throw new MeshError(
        'not_implemented',
        'expected no transfer coding but chunked; use Content-Encoding instead',
      )
    }
    this.#isChunked = true
  }

  #readConnection(value: string): void {
    const lower = value.toLowerCase()
    if (lower === 'keep-alive') this.hasKeepAlive = true
    else if (lower === 'close') this.hasClose = true
    else
      for (const option of lower.split(',')) {
        const name = option.trim()
        if (name === 'close') this.hasClose = true
        else if (name === 'keep-alive') this.hasKeepAlive = true
        else if (name === 'upgrade') this.hasUpgrade = true
        else if (name !== '') this.#named.push(name)
      }
  }
}
