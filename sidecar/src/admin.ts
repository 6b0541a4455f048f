import { rename, writeFile } from 'node:fs/promises'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import { fastify } from 'fastify'
import type { Outbound } from './outbound/index.ts'

export interface AdminOptions {
  readonly port: number
  readonly identity: IdentitySource
  readonly snapshots: SnapshotSource & { readonly connected: boolean }
  readonly metrics: Metrics
  readonly outbound: Pick<Outbound, 'endpoints'>
  /** Every listener serves and the sidecar is not stopping. */
  readonly isReady: () => boolean
  /** Ends what is in flight and resolves when nothing is left; the process stays for its probes. */
  readonly drain: () => Promise<void>
}

/** The admin port: for probes, Prometheus and people on the same host. Loopback only; it shows no key and no token. */
export async function startAdmin(
  options: AdminOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const app = fastify({ forceCloseConnections: true })

  // A web page cannot reach the port through a name that it had resolve to 127.0.0.1.
  app.addHook('onRequest', async (request, reply) => {
    if (
      /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? '') &&
      request.headers.origin === undefined
    )
      return
    await reply
      .code(403)
      .send({ error: 'the admin port answers to loopback names only, and not to web pages' })
  })

  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/ready', async (_request, reply) => {
    const ready = options.isReady()
    return reply.code(ready ? 200 : 503).send({ ready, connected: options.snapshots.connected })
  })
  app.get('/metrics', async (_request, reply) => {
    return reply.type(options.metrics.registry.contentType).send(await options.metrics.registry.metrics())
  })
  app.get('/config', async () => {
    const { spiffeId, expiresAt } = options.identity.current()
    const { snapshot } = options.snapshots.current()
    return {
      identity: spiffeId.uri,
      certificateExpiresAt: expiresAt,
      connected: options.snapshots.connected,
      snapshot,
    }
  })
  app.get('/endpoints', async () => ({ services: options.outbound.endpoints() }))
  app.post('/drain', async () => {
    await options.drain()
    return { status: 'drained' }
  })

  await app.listen({ host: '127.0.0.1', port: options.port })
  const bound = app.server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
    close: () => app.close(),
  }
}

/** Tells whoever started the process which ports were bound; appears whole, by rename. */
export async function writePortsFile(file: string, ports: Readonly<Record<string, number>>): Promise<void> {
  await writeFile(`${file}.part`, `${JSON.stringify(ports)}\n`)
  await rename(`${file}.part`, file)
}
