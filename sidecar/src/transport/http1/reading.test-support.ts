/** Reads bytes with the real readers and writes down what they say, for comparisons. */
import { MeshError } from '@weft/schemas/error'
import type { Fields, RequestHead, ResponseHead } from '../exchange.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { BODY, MessageReader, type MessageSink } from './message-reader.ts'
import { RequestHeadReader } from './request-head.ts'
import { ResponseHeadReader } from './response-head.ts'

/** What a reader said, with the body of a message joined: where it was cut is of no meaning. */
export interface ReadMessage {
  readonly head: Partial<RequestHead & ResponseHead>
  body: string
  isWhole: boolean
  trailers: Fields | undefined
}

export interface ReadResult {
  readonly messages: ReadMessage[]
  readonly error: MeshError | undefined
}

export function readRequests(pieces: readonly Buffer[], acceptsAbsoluteForm = true): ReadResult {
  const heads = new RequestHeadReader({
    peer: { id: undefined, subject: { kind: 'anonymous' } },
    acceptsAbsoluteForm,
  })
  return readAll('request', pieces, (scanner, buffer, from, to) => {
    const { method, target, authority, fields, length, upgrade } = heads.read(scanner, buffer, from, to)
    const head = { method, target, authority, fields, length }
    return upgrade === undefined
      ? { head, body: length }
      : { head: { ...head, upgrade }, body: BODY.untilClose }
  })
}

export function readResponses(pieces: readonly Buffer[], method = 'GET', isClosed = true): ReadResult {
  const heads = new ResponseHeadReader()
  const readHead = (...[scanner, buffer, from, to]: Parameters<MessageSink['onHead']>) => ({
    head: heads.read(scanner, { buffer, from, to }, { method, upgrade: undefined }),
    body: heads.body,
  })
  return readAll('response', pieces, readHead, isClosed)
}

function readAll(
  kind: 'request' | 'response',
  pieces: readonly Buffer[],
  readHead: (...head: Parameters<MessageSink['onHead']>) => { head: ReadMessage['head']; body: number },
  isClosed = false,
): ReadResult {
  const messages: ReadMessage[] = []
  const sink: MessageSink = {
    onHead(...given) {
      const { head, body } = readHead(...given)
      messages.push({ head, body: '', isWhole: false, trailers: undefined })
      return body
    },
    onBody(chunk) {
      const message = messages.at(-1)
      if (message !== undefined) message.body += chunk.toString('latin1')
    },
    onMessageEnd(trailers) {
      const message = messages.at(-1)
      if (message !== undefined) Object.assign(message, { isWhole: true, trailers })
      reader.next()
    },
  }
  const reader = new MessageReader(kind, sink, DEFAULT_LIMITS)
  try {
    for (const piece of pieces) reader.feed(piece)
    if (isClosed) reader.finish()
    return { messages, error: undefined }
  } catch (error) {
    return { messages, error: MeshError.from(error) }
  }
}
