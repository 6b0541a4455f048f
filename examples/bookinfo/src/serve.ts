import { createServer, type IncomingMessage } from 'node:http'

/** What one request is answered with. */
export interface Answer {
  readonly status?: number
  readonly json?: unknown
  readonly html?: string
}

/** Undefined: there is no such path. */
export type Handler = (
  path: string,
  request: IncomingMessage,
) => Answer | undefined | Promise<Answer | undefined>

/** Serves GET on PORT until SIGTERM; `/healthz` says that it does. */
export function serve(handle: Handler): void {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    void answerTo(path, request, handle).then(({ status = 200, json, html }) => {
      const type = html === undefined ? 'application/json' : 'text/html; charset=utf-8'
      response.writeHead(status, { 'content-type': type })
      response.end(html ?? JSON.stringify(json))
    })
  })
  server.listen(Number(process.env.PORT ?? 9080), '127.0.0.1')
  process.on('SIGTERM', () => server.close(() => process.exit(0)))
}

async function answerTo(path: string, request: IncomingMessage, handle: Handler): Promise<Answer> {
  if (path === '/healthz') return { json: { status: 'ok' } }
  try {
    return (await handle(path, request)) ?? { status: 404, json: { error: `no ${path}` } }
  } catch (error) {
    console.error(error)
    return { status: 500, json: { error: 'see the log' } }
  }
}

/** What goes with everything that a request causes: the trace, and what routes look at. */
const PASSED_ON = ['traceparent', 'tracestate', 'end-user', 'cookie'] as const

export interface Reply {
  readonly status: number
  readonly json: unknown
}

/** GET with the headers of the request that it is for. Never rejects: what is no JSON is null. */
export async function get(url: string, request: IncomingMessage): Promise<Reply> {
  const headers = PASSED_ON.flatMap((name) => {
    const value = request.headers[name]
    return typeof value === 'string' ? [[name, value] as [string, string]] : []
  })
  try {
    const response = await fetch(url, { headers })
    if (response.ok) return { status: response.status, json: await response.json() }
    await response.body?.cancel()
    return { status: response.status, json: null }
  } catch {
    return { status: 0, json: null }
  }
}
