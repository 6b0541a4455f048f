/** Every failure as problem+json (RFC 9457), whoever found it: a route, fastify, or the HTTP parser. */
import type { Socket } from 'node:net'
import { ERROR_TABLE, type ErrorCode, type ErrorRow, MeshError, toProblem } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { RefusedResources } from '../../source/index.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** Sets the error handlers of the whole server, and serves the pages that `type` points to. */
export function registerProblems(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const mesh = fromFastify(error)
    if (mesh.code === 'internal')
      log.error({ error, method: request.method, url: request.url }, 'request failed')
    return sendProblem(reply, mesh)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new MeshError('not_found', `there is no ${request.method} ${request.url.slice(0, 200)}`),
    ),
  )
  app.get<{ Params: { id: string } }>('/problems/:id', (request, reply) => {
    const wanted = request.params.id.toUpperCase()
    const found = Object.entries(ERROR_TABLE).find(([, { id }]) => id === wanted)
    if (found === undefined) throw new MeshError('not_found', `there is no problem ${wanted.slice(0, 40)}`)
    return reply.type('text/plain; charset=utf-8').send(describe(...found))
  })
}

/** What fastify calls for requests that never became one: a URL that cannot be decoded. */
export function sendProblem(reply: FastifyReply, error: MeshError): FastifyReply {
  const problem = { ...toProblem(error), ...(error instanceof RefusedResources && { faults: error.faults }) }
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problem)
}

/** Any error of a handler or of fastify itself, by the row that fits its status. */
export function fromFastify(error: FastifyError | Error): MeshError {
  if (error instanceof MeshError) return error
  const status = 'statusCode' in error ? error.statusCode : undefined
  if (status === undefined || status < 400 || status >= 500) return MeshError.from(error)
  return new MeshError(BY_STATUS[status] ?? 'invalid_request', error.message, { cause: error })
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  404: 'not_found',
  408: 'request_timeout',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  431: 'headers_too_large',
}

/** For bytes that the parser refused: there is no request and no reply, only the socket. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const code = BY_PARSER_CODE[error.code ?? ''] ?? 'invalid_request'
  const problem = toProblem(new MeshError(code, error.message))
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

const BY_PARSER_CODE: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

function describe(code: string, row: ErrorRow): string {
  return [
    `${row.id} ${code}: ${row.title}`,
    '',
    row.hint,
    '',
    `HTTP ${row.http}, gRPC ${row.grpc}, Kafka ${row.kafka}. ${row.retryable ? 'Can be tried again.' : 'Trying again alone does not help.'}`,
    '',
  ].join('\n')
}
