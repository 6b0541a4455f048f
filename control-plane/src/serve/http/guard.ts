/** Who may come in: the checks before any route. */
import { isIP } from 'node:net'
import { MeshError, toProblem } from '@weft/schemas/error'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AdminToken } from './admin-token.ts'
import { PROBLEM_TYPE } from './problems.ts'

export interface GuardOptions {
  readonly token: AdminToken
  /** Names beside those of loopback under which this server may be asked. */
  readonly hosts: readonly string[]
}

/** What changes nothing that lasts although it is a POST: spans of sidecars, and questions, those of clients of the schema registry among them. */
const OPEN_WRITES: ReadonlySet<string> = new Set([
  'POST /v1/traces',
  'POST /api/v1/can',
  'POST /subjects/:subject',
  'POST /compatibility/subjects/:subject/versions',
  'POST /compatibility/subjects/:subject/versions/:version',
])

/** Reads are open, because the port is; everything else needs the admin token, routes that are added later too. */
export function registerGuard(app: FastifyInstance, { token, hosts }: GuardOptions): void {
  const known = new Set(hosts.map((host) => host.toLowerCase()))
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-content-type-options', 'nosniff')
    if (request.url.startsWith('/api/')) void reply.header('cache-control', 'no-store')
    checkHost(request, known)
    if (isOpen(request) || token.accepts(request.headers.authorization)) return
    const error = new MeshError(
      'unauthenticated',
      `expected the header "Authorization: Bearer <admin token>", came ${request.headers.authorization === undefined ? 'none' : 'another one'}`,
    )
    return await reply
      .code(401)
      .type(PROBLEM_TYPE)
      .header('www-authenticate', 'Bearer realm="weft"')
      .send({
        ...toProblem(error),
        hint: `The admin token is the content of ${token.path} on the control plane's host.`,
      })
  })
}

/**
 * A page of a hostile site can have its own name resolve to 127.0.0.1, and the browser then lets it read what this
 * port answers; but it cannot choose what the browser writes into Host.
 */
function checkHost(request: FastifyRequest, known: ReadonlySet<string>): void {
  const name = hostName(request.headers.host)
  if (name !== undefined && (isLoopbackName(name) || known.has(name))) return
  throw new MeshError(
    'misdirected',
    `expected a loopback name or a configured host in Host, came ${JSON.stringify(request.headers.host?.slice(0, 100) ?? '')}`,
  )
}

function isOpen(request: FastifyRequest): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true
  return OPEN_WRITES.has(`${request.method} ${request.routeOptions.url ?? ''}`)
}

/** `LocalHost:15014` → `localhost`, `[::1]:80` → `::1`; undefined for what is no authority. */
function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i.exec(header ?? '')
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}

function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true
  return isIP(name) === 4 && name.startsWith('127.')
}
