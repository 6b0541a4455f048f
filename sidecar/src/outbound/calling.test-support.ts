/** Calls through a sidecar with Node's own HTTP client, for tests that are not about bytes. */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'

export interface CallOptions {
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
  readonly agent?: Agent
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly trailers: NodeJS.Dict<string>
  readonly body: string
  /** The body as problem+json; an empty object where it is something else. */
  readonly problem: Readonly<Record<string, unknown>>
}

export async function call(port: number, options: CallOptions = {}): Promise<Answer> {
  const { method = 'GET', path = '/', host = 'server', headers = {}, body } = options
  const agent = options.agent ?? new Agent({ keepAlive: false })
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({
      port,
      host: '127.0.0.1',
      method,
      path,
      agent,
      headers: { host, ...headers } as Record<string, string>,
    })
    sent.on('response', resolve)
    sent.on('error', reject)
    sent.end(body)
  })
  let text = ''
  for await (const chunk of message) text += (chunk as Buffer).toString('latin1')
  const isProblem = message.headers['content-type'] === 'application/problem+json'
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    trailers: message.trailers,
    body: text,
    problem: isProblem ? (JSON.parse(text) as Record<string, unknown>) : {},
  }
}
