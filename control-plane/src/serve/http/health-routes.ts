import { MeshError } from '@weft/schemas/error'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { FastifyInstance } from 'fastify'

export interface HealthOptions {
  readonly metrics: Metrics
  /** False before everything listens and from the moment of stopping. */
  readonly isReady: () => boolean
}

/** For whoever watches this process: alive, ready, counters. */
export function registerHealthRoutes(app: FastifyInstance, { metrics, isReady }: HealthOptions): void {
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/ready', () => {
    if (!isReady()) throw new MeshError('unavailable', 'the control plane is starting or stopping')
    return { status: 'ready' }
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
}
