/** The REST API of the Confluent Schema Registry (version 8): subjects, versions, ids, compatibility, config. */
import { MeshError } from '@weft/schemas/error'
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { RegistryError } from './errors.ts'
import type { SchemaRegistry } from './registry.ts'
import type { RemoteSchemas } from './remote-schemas.ts'
import { registerConfigRoutes } from './routes-config.ts'
import { registerIdRoutes } from './routes-ids.ts'
import { registerSubjectRoutes } from './routes-subjects.ts'

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
/** As the registry of Confluent takes them, from clients of any age. */
const TAKEN = [CONTENT_TYPE, 'application/vnd.schemaregistry+json', 'application/octet-stream']

/** In a scope of their own: what they refuse is said in the registry's words. */
export function registerSchemaRoutes(
  app: FastifyInstance,
  registry: SchemaRegistry,
  remote: () => Pick<RemoteSchemas, 'forward'> | undefined = () => undefined,
): void {
  void app.register(async (scope) => {
    const asJson = scope.getDefaultJsonParser('error', 'error')
    scope.addContentTypeParser(TAKEN, { parseAs: 'string' }, asJson)
    // Of the guard's opinion first: what needs the admin token here needs it for the other registry, too.
    scope.addHook('preHandler', async (request, reply) => {
      const other = remote()
      if (other === undefined) return
      const body = request.body === undefined ? undefined : JSON.stringify(request.body)
      const { status, text } = await other.forward(request.method, request.url, body)
      await reply.code(status).type(CONTENT_TYPE).send(text)
    })
    scope.addHook('onSend', async (_request, reply, payload) => {
      const type = String(reply.getHeader('content-type') ?? '')
      if (type.startsWith('application/json')) void reply.header('content-type', CONTENT_TYPE)
      return payload
    })
    scope.setErrorHandler((error: FastifyError | Error, _request, reply) => sendError(reply, error))
    registerSubjectRoutes(scope, registry)
    registerIdRoutes(scope, registry)
    registerConfigRoutes(scope, registry)
  })
}

function sendError(reply: FastifyReply, error: FastifyError | Error): FastifyReply {
  if (error instanceof RegistryError)
    return reply.code(error.status).send({ error_code: error.code, message: error.message })
  if (error instanceof MeshError) throw error
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500
  // What Confluent answers to a body or query that cannot be read.
  if (status < 500)
    return reply
      .code(status === 400 ? 422 : status)
      .send({ error_code: status === 400 ? 422 : status, message: error.message })
  throw error
}
