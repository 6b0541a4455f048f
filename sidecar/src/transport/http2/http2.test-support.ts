/** Calls over HTTP/2 with prior knowledge, by Node's own client: what it takes for well-formed, others do too. */
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'

export interface Http2Answer {
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader
  readonly trailers: IncomingHttpHeaders
  readonly body: Buffer
  /** The code of RST_STREAM. */
  readonly rstCode: number
}

export interface Http2Client extends AsyncDisposable {
  readonly session: ClientHttp2Session
  open(headers?: OutgoingHttpHeaders, endStream?: boolean): ClientHttp2Stream
  call(headers?: OutgoingHttpHeaders, body?: string | Buffer): Promise<Http2Answer>
}

export function http2Client(port: number): Http2Client {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  const open = (headers: OutgoingHttpHeaders = {}, endStream = false): ClientHttp2Stream =>
    session.request({ ':authority': 'server', ...headers }, { endStream })
  return {
    session,
    open,
    call(headers = {}, body) {
      const stream = open(
        body === undefined ? headers : { ':method': 'POST', ...headers },
        body === undefined,
      )
      if (body !== undefined) stream.end(body)
      return answerOf(stream)
    },
    async [Symbol.asyncDispose]() {
      if (session.destroyed) return
      session.destroy()
      await once(session, 'close')
    },
  }
}

/** All that comes until the stream is closed, however that happens. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let headers: Http2Answer['headers'] = {}
  let trailers: IncomingHttpHeaders = {}
  const chunks: Buffer[] = []
  stream.on('response', (head) => {
    headers = head
  })
  stream.on('trailers', (fields: IncomingHttpHeaders) => {
    trailers = fields
  })
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('error', () => {})
  await new Promise((resolve) => stream.on('close', resolve))
  return { headers, trailers, body: Buffer.concat(chunks), rstCode: stream.rstCode ?? 0 }
}

/** An app that speaks HTTP/2 in plain text. */
export function http2App(
  handle: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Http2Server {
  const server = createServer()
  server.on('stream', handle)
  server.on('sessionError', () => {})
  return server
}
