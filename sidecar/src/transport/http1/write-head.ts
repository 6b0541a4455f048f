/** Heads as text. Framing and connection fields are written from what we know, never copied from what came. */
import { STATUS_CODES } from 'node:http'
import type { MeshError } from '@weft/schemas/error'
import { type Fields, type RequestHead, type ResponseHead, UNKNOWN_LENGTH } from '../exchange.ts'
import { problemBody } from '../problem.ts'
import { hasNoBody } from './response-head.ts'

const STATUS_LINES: readonly string[] = Array.from(
  { length: 1000 },
  (_, status) => `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`,
)

export function fieldLines(fields: Fields): string {
  let text = ''
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`
  return text
}

/** Methods that seldom have a body: without one they say nothing of its length (RFC 9110, section 8.6). */
const WITHOUT_LENGTH: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

/** The lines that ask for another protocol, or say that it begins. */
const upgradeLines = (protocol: string): string => `connection: upgrade\r\nupgrade: ${protocol}\r\n`

export function requestText(head: RequestHead): string {
  const start = `${head.method} ${head.target} HTTP/1.1\r\nhost: ${head.authority}\r\n`
  return `${start}${fieldLines(head.fields)}${requestFraming(head)}\r\n`
}

function requestFraming({ length, method, upgrade }: RequestHead): string {
  if (upgrade !== undefined) return upgradeLines(upgrade)
  if (length === UNKNOWN_LENGTH) return 'transfer-encoding: chunked\r\n'
  return length === 0 && WITHOUT_LENGTH.has(method) ? '' : `content-length: ${length}\r\n`
}

export interface ResponseWriting {
  readonly method: string
  /** False for HTTP/1.0, which knows no chunks: there a body of unknown length ends with the connection. */
  readonly knowsChunks: boolean
  readonly closes: boolean
}

export function responseText(head: ResponseHead, writing: ResponseWriting): string {
  const framing = responseFraming(head, writing)
  const connection = writing.closes ? 'connection: close\r\n' : ''
  return `${STATUS_LINES[head.status]}${fieldLines(head.fields)}${framing}${connection}\r\n`
}

function responseFraming({ status, length }: ResponseHead, { method, knowsChunks }: ResponseWriting): string {
  if (status === 204) return ''
  if (length !== UNKNOWN_LENGTH) return `content-length: ${length}\r\n`
  return hasNoBody(method, status) || !knowsChunks ? '' : 'transfer-encoding: chunked\r\n'
}

/** 101: what follows is not HTTP/1.1 any more (RFC 9110, section 15.2.2). */
export function switchingText(protocol: string, fields: Fields): string {
  return `${STATUS_LINES[101]}${upgradeLines(protocol)}${fieldLines(fields)}\r\n`
}

export function interimText(status: number, fields: Fields): string {
  return `${STATUS_LINES[status]}${fieldLines(fields)}\r\n`
}

/** The whole answer to a request that no service saw. */
export function problemText(error: MeshError): string {
  const body = problemBody(error)
  const fields = ['content-type', 'application/problem+json']
  const head = { status: error.row.http, fields, length: body.length }
  return responseText(head, { method: 'GET', knowsChunks: true, closes: true }) + body
}
