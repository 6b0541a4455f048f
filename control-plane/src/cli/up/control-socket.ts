/**
 * The way from `weft stop|start|restart` and `weft status` to a running `weft up`: HTTP on a Unix socket that only the
 * user may open. Who can open it may run commands as this user anyway. It is also the lock of the state folder.
 */
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { CliError, messageOf } from '../errors.ts'

export const VERBS = ['stop', 'start', 'restart'] as const
export type Verb = (typeof VERBS)[number]

export interface ServiceView {
  readonly name: string
  readonly state: string
  readonly pid?: number
  readonly sidecarPid?: number
  readonly ports?: Readonly<Record<string, number | undefined>>
  readonly logFile: string
}

export interface MeshView {
  readonly name: string
  readonly pid: number
  readonly services: readonly ServiceView[]
}

/** What the socket gives access to. */
export interface Controlled {
  view(): MeshView
  /** Resolves when it is done. */
  act(verb: Verb, service: string): Promise<void>
}

/** A start takes as long as the app takes. */
const CALL_TIMEOUT_MS = 120_000

/** Takes the socket. Throws where a running mesh holds it; a socket that nobody answers on is left over and is replaced. */
export async function openControlSocket(
  path: string,
  controlled: Controlled,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((incoming, response) => void answer(controlled, incoming, response))
  try {
    await listen(server, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    const running = await callMesh<MeshView>(path, 'GET', '/').catch(() => undefined)
    if (running !== undefined)
      throw new CliError(`the mesh ${running.name} is running already (process ${running.pid})`, {
        hint: 'Stop it with Ctrl-C in its terminal, or start this one with another --state-dir.',
      })
    await rm(path, { force: true })
    await listen(server, path)
  }
  return {
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  // The socket is made by the call itself, so it never exists with wider permissions.
  const before = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(before)
  }
  await once(server, 'listening')
}

const PATH = /^\/services\/([a-z0-9.-]+)\/(stop|start|restart)$/

async function answer(
  controlled: Controlled,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    response.end(JSON.stringify(body))
  }
  incoming.resume()
  const [, service, verb] = PATH.exec(incoming.url ?? '') ?? []
  try {
    if (incoming.method === 'GET' && incoming.url === '/') return reply(200, controlled.view())
    if (incoming.method !== 'POST' || service === undefined || verb === undefined)
      return reply(404, { detail: 'not found' })
    await controlled.act(verb as Verb, service)
    reply(200, controlled.view())
  } catch (error) {
    reply(409, {
      detail: messageOf(error),
      ...(error instanceof CliError && { hint: error.hint, quote: error.quote }),
    })
  }
}

interface Refusal {
  readonly detail?: string
  readonly hint?: string
  readonly quote?: readonly string[]
}

/** One call of a running `weft up`. Throws a CliError with what it says, or that it does not run. */
export async function callMesh<T>(socketPath: string, method: 'GET' | 'POST', path: string): Promise<T> {
  const call = request({ socketPath, method, path, timeout: CALL_TIMEOUT_MS, agent: false })
  call.end()
  let response: IncomingMessage
  let text = ''
  try {
    ;[response] = (await once(call, 'response')) as [IncomingMessage]
    response.setEncoding('utf8')
    for await (const part of response as AsyncIterable<string>) text += part
  } catch (error) {
    throw new CliError(
      `\`weft up\` does not answer at ${socketPath} (${(error as NodeJS.ErrnoException).code})`,
      {
        hint: 'Start the mesh with `weft up`.',
        cause: error,
      },
    )
  }
  const body: unknown = JSON.parse(text)
  if (response.statusCode === 200) return body as T
  const { detail, hint, quote } = body as Refusal
  throw new CliError(detail ?? `\`weft up\` answered ${response.statusCode}`, {
    ...(hint !== undefined && { hint }),
    ...(quote !== undefined && { quote }),
  })
}
