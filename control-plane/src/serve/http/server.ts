/** The HTTP port: order matters only in that the guard stands before every route. */

import type { Log } from '@weft/schemas/node/log'
import type { PolicyIndex } from '@weft/schemas/policy'
import { type FastifyInstance, fastify } from 'fastify'
import type { AdminToken } from './admin-token.ts'
import { registerCanRoute } from './can-route.ts'
import { registerGuard } from './guard.ts'
import { type HealthOptions, registerHealthRoutes } from './health-routes.ts'
import { type IdentityRoutesOptions, registerIdentityRoutes } from './identity-routes.ts'
import { fromFastify, refuseConnection, registerProblems, sendProblem } from './problems.ts'
import { type ResourceRoutesOptions, registerResourceRoutes } from './resource-routes.ts'

export interface HttpOptions extends ResourceRoutesOptions, IdentityRoutesOptions, HealthOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** More names under which the server may be asked, beside `host` and those of loopback. */
  readonly allowedHosts: readonly string[]
  readonly token: AdminToken
  readonly policies: () => PolicyIndex
  /** Adds the routes of telemetry and dashboard. */
  readonly extend?: (app: FastifyInstance) => void
  readonly log: Log
}

export interface HttpServer {
  readonly port: number
  /** Stops accepting, lets requests in flight end until the deadline, then closes everything. */
  drain(deadlineMs: number): Promise<void>
}

/** A thousand resources; more is not a change but a mistake. */
const MAX_BODY_BYTES = 4 * 1024 * 1024
/** For a whole request to arrive; a slow sender holds a connection no longer. */
const REQUEST_TIMEOUT_MS = 30_000
/** Namespace, kind and name are each shorter. */
const MAX_PARAM_CHARACTERS = 256
/** Answers of events are streams that never end, so this only counts sockets. */
const MAX_CONNECTIONS = 4096

/** Listens; throws where the port cannot be bound. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const app = createApp(options)
  await app.listen({ host: options.host, port: options.port })
  const bound = app.server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
    drain: async (deadlineMs) => {
      const deadline = setTimeout(() => app.server.closeAllConnections(), deadlineMs)
      try {
        await app.close()
      } finally {
        clearTimeout(deadline)
      }
    },
  }
}

function createApp(options: HttpOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS },
    // Say what is wrong with a body, all of it; never change what came until it fits.
    ajv: {
      customOptions: { allErrors: true, coerceTypes: false, removeAdditional: false, useDefaults: false },
    },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, fromFastify(error)),
  })
  app.server.maxConnections = MAX_CONNECTIONS
  registerProblems(app, options.log)
  registerGuard(app, { token: options.token, hosts: [options.host, ...options.allowedHosts] })
  registerHealthRoutes(app, options)
  registerResourceRoutes(app, options)
  registerIdentityRoutes(app, options)
  registerCanRoute(app, options.policies)
  options.extend?.(app)
  return app
}
