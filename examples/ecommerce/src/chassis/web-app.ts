import { STATUS_CODES } from 'node:http'
import { type FastifyError, type FastifyInstance, fastify, LogController } from 'fastify'
import { InvalidEventError } from '../events/cloud-event.ts'
import { traceHeaders, traceIdOf } from './trace.ts'

/** An answer that is not a success, with a sentence for the person who reads it. */
export class HttpError extends Error {
  readonly status: number
  /** More members of the problem document. */
  readonly more: Readonly<Record<string, unknown>>

  constructor(status: number, message: string, more: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.status = status
    this.more = more
  }
}

/** No request of the shop is larger; a push delivery may be, and says so on its route. */
const MAX_BODY_BYTES = 16 * 1024

/**
 * fastify as the three services use it: JSON lines with the trace id, strict validation, errors as
 * problem+json (RFC 9457). `isReady` is what `/ready` tells; `/healthz` says that the process serves.
 */
export function createWebApp(options: {
  readonly name: string
  readonly logLevel: string
  readonly isReady: () => boolean
}): FastifyInstance {
  const app: FastifyInstance = fastify({
    bodyLimit: MAX_BODY_BYTES,
    logger: { level: options.logLevel, base: { service: options.name } },
    // The mesh has the access log; the services log what happened.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger, bindings, childOptions, request) =>
      logger.child({ ...bindings, traceId: traceIdOf(traceHeaders(request.headers)) }, childOptions),
    // A field too many or a text for a number is a mistake of the caller: say it, do not guess.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  })
  app.setErrorHandler((error: FastifyError | HttpError | InvalidEventError, request, reply) => {
    const problem = toProblem(error)
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed')
    else request.log.info({ status: problem.status, detail: problem.detail }, 'request refused')
    const traceId = traceIdOf(traceHeaders(request.headers))
    return reply
      .code(problem.status)
      .type('application/problem+json')
      .send({ ...problem, traceId })
  })
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type('application/problem+json')
      .send({
        title: 'Not Found',
        status: 404,
        detail: `${options.name} has no ${request.method} ${request.url.split('?')[0]}`,
      }),
  )
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/ready', async (_request, reply) => {
    const ready = options.isReady()
    return reply.code(ready ? 200 : 503).send({ ready })
  })
  return app
}

function toProblem(error: FastifyError | HttpError | InvalidEventError) {
  if (error instanceof HttpError)
    return { title: STATUS_CODES[error.status], status: error.status, detail: error.message, ...error.more }
  if (error instanceof InvalidEventError)
    return { title: 'The event is invalid', status: 422, detail: error.message }
  const status = error.statusCode ?? 500
  return {
    title: STATUS_CODES[status],
    status,
    // What went wrong inside is for the log, not for the caller.
    detail: status >= 500 ? 'Something went wrong here; the log has it under this trace id.' : error.message,
  }
}
