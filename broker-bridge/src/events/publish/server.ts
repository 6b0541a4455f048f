/** The HTTP surface of publishing: routes, guard, answers. What a request does is in publish.ts. */
import { MeshError, toProblem } from '@weft/schemas/error'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { refuseBrowsers } from './guard.ts'
import { type PublishContext, publish, startPublishSpan } from './publish.ts'

export interface PublishServer {
  readonly port: number
  /** Refuses new requests, lets those in flight end up to the deadline, closes. */
  close(deadlineMs: number): Promise<void>
}

/** Slow senders do not hold memory for ever: head and body within this time. */
const REQUEST_TIMEOUT_MS = 30_000
/** Kafka allows 249 characters in a topic name; percent-encoding triples some. */
const MAX_PARAM_LENGTH = 800
const ROUTE = '/v1/topics/:topic/events'
const OTHER_METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export async function startPublishServer(
  context: PublishContext,
  options: { readonly host: string; readonly port: number },
): Promise<PublishServer> {
  const app = fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  })
  let inFlight = 0
  let draining = false
  let onIdle = () => {}

  // The body stays a stream: its limit is the topic's, known only after the caller has been authorized.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.addHook('onRequest', async (request) => {
    refuseBrowsers(request.raw, options.host)
    if (draining) throw new MeshError('draining', 'the sidecar is stopping')
  })
  app.post<{ Params: { topic: string } }>(ROUTE, async (request, reply) => {
    const { topic } = request.params
    const span = startPublishSpan(context, request.raw, topic)
    reply.header('traceparent', span.traceparent)
    inFlight++
    try {
      const answer = await publish(context, request.raw, { topic, span })
      span.end()
      return answer
    } catch (error) {
      span.end(MeshError.from(error).message)
      throw error
    } finally {
      inFlight--
      if (inFlight === 0) onIdle()
    }
  })
  app.route({
    method: OTHER_METHODS,
    url: ROUTE,
    handler: (_request, reply) => {
      reply.header('allow', 'POST')
      return answerError(reply, new MeshError('not_implemented', 'expected POST'), 405)
    },
  })
  answerErrors(app, context)
  await app.listen({ host: options.host, port: options.port })
  const address = app.server.address()

  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    async close(deadlineMs) {
      draining = true
      if (inFlight > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, deadlineMs)
          onIdle = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      // One turn for the last answers to be written.
      await new Promise((resolve) => setImmediate(resolve))
      await app.close()
    },
  }
}

function answerErrors(app: FastifyInstance, context: PublishContext): void {
  app.setNotFoundHandler((request, reply) =>
    answerError(
      reply,
      new MeshError(
        'not_found',
        `nothing is at ${request.method} ${request.url.slice(0, 200)}; publish with POST /v1/topics/{topic}/events`,
      ),
    ),
  )
  app.setErrorHandler((thrown, _request, reply) => {
    const error = fromFramework(thrown)
    if (error.code === 'internal') context.log.error({ error: thrown }, 'publishing failed')
    return answerError(reply, error)
  })
}

/** fastify's own refusals (malformed URL, media type) carry a status of 4xx. */
function fromFramework(thrown: unknown): MeshError {
  const status = (thrown as { statusCode?: unknown }).statusCode
  if (thrown instanceof MeshError || typeof status !== 'number' || status >= 500)
    return MeshError.from(thrown)
  return new MeshError(
    'invalid_request',
    thrown instanceof Error ? thrown.message : 'the request is malformed',
    { cause: thrown },
  )
}

const RETRY_AFTER_SECONDS = '1'

function answerError(reply: FastifyReply, error: MeshError, status: number = error.row.http): FastifyReply {
  const traceId = String(reply.getHeader('traceparent') ?? '').split('-')[1]
  if (error.row.retryable) reply.header('retry-after', RETRY_AFTER_SECONDS)
  if (error.row.close) reply.header('connection', 'close')
  const problem = toProblem(error, traceId)
  // As bytes: to a text fastify would add a charset, which the media type does not have.
  const body = Buffer.from(JSON.stringify({ ...problem, status }))
  return reply.code(status).header('content-type', 'application/problem+json').send(body)
}
