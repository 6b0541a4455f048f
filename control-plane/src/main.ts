/** The control plane: resources in, certificates and snapshots out. One process; everything it knows is in its state folder. */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ConfigError } from '@weft/schemas/node/config'
import { stopOnSignal } from '@weft/schemas/node/drain'
import { createLog } from '@weft/schemas/node/log'
import { createMetrics } from '@weft/schemas/node/metrics'
import { registerAclRoutes, startAclWriter, wantedAcls } from './acls/index.ts'
import { type Config, readControlPlaneConfig } from './config.ts'
import { registerDashboard } from './dashboard/index.ts'
import { DeadLetterDesk, registerDeadLetterRoutes } from './dead-letters/index.ts'
import { createKafkaAdmin, startTopicReconciler } from './reconcile/index.ts'
import { Rewinder, registerRewindRoutes } from './rewind/index.ts'
import {
  MeshSchemas,
  registerSchemaRoutes,
  SchemaLog,
  SchemaRegistry,
  TopicSchemas,
  worseOf,
} from './schema-registry/index.ts'
import { openCertificateAuthority, openJoinTokens } from './serve/ca/index.ts'
import { startGrpc } from './serve/grpc/index.ts'
import { openAdminToken, startHttp } from './serve/http/index.ts'
import { openStore, replaceFile } from './source/index.ts'
import { createTelemetry, registerTelemetryRoutes, startLag } from './telemetry/index.ts'
import { createSnapshotProvider, meshOf, overrideKafka, policyIndex, topicsOf } from './translate/index.ts'

/** After the parts' own deadlines: stopping that hangs all the same ends here. */
const STOP_GRACE_MS = 5000

const log = createLog('control-plane')
try {
  await start(readControlPlaneConfig(process.env))
} catch (error) {
  // A wrong setting is for a person to correct and needs no stack.
  if (error instanceof ConfigError) log.fatal(error.message)
  else log.fatal({ error }, 'the control plane could not start')
  process.exit(1)
}

/** What lasts: the secrets of the trust domain and the resources, both in the state folder. */
async function openState(config: Config) {
  const { trustDomain } = config
  const stateDir = resolve(config.stateDir)
  await mkdir(stateDir, { recursive: true, mode: 0o700 })

  // Secrets first: without them nothing can be proven, and a folder that cannot be written is found out at once.
  const authority = await openCertificateAuthority({ stateDir, trustDomain, log })
  const tokens = await openJoinTokens({ stateDir, authority })
  const token = await openAdminToken(stateDir, log)

  // Resources before whoever serves them: no sidecar ever gets the snapshot of an empty mesh. Files with faults do not
  // stop the start; what they held when they were last right is in force, and nothing where that never was.
  const store = await openStore({ stateDir, folders: config.resourceFolders, log })
  const { kafkaBootstrapServers, kafkaSecurity } = config
  const resources = overrideKafka(
    store.resources,
    kafkaBootstrapServers && { bootstrapServers: kafkaBootstrapServers, security: kafkaSecurity },
  )
  return { authority, tokens, token, store, resources }
}

async function start(config: Config): Promise<void> {
  const { trustDomain } = config
  const { authority, tokens, token, store, resources } = await openState(config)
  const metrics = createMetrics({ processMetrics: true })

  // What sidecars report goes to telemetry, which asks the registry of sidecars, which the gRPC port has: the knot is
  // tied by reading `grpc` only when asked.
  const kafka = createKafkaAdmin({ cluster: () => meshOf(resources()).kafka, authority, log })
  const schemaLog = new SchemaLog({ connection: kafka.connection, admin: kafka.current, log })
  const schemas = new MeshSchemas({
    url: () => meshOf(resources()).schemaRegistry?.url,
    userInfo: config.schemaRegistryUserInfo,
    schemaLog,
    log,
  })
  // What sidecars know of schemas is a part of what they know of topics.
  schemas.onChange(
    () => void store.touch().catch((error: unknown) => log.error({ error }, 'schemas could not be told')),
  )
  const topicSchemas = new TopicSchemas({
    source: schemas,
    resources,
    onChange: store.onChange,
    log,
  })
  const rewinder = new Rewinder({ admin: kafka.current, resources, tell: () => store.touch(), log })
  const lag = startLag({ admin: kafka.current, consumers: () => telemetry.consumers(), log })
  const telemetry = createTelemetry({
    log,
    metrics,
    resources,
    sidecars: () => grpc.registry.list(),
    lag: lag.current,
    version: store.version,
    faults: store.faults,
  })
  // A sidecar that is told of no version refuses events: it is told when they are known, or cannot be for now.
  await topicSchemas.firstPass()
  const grpc = await startGrpc({
    host: config.grpcHost,
    port: config.grpcPort,
    authority,
    tokens,
    snapshots: createSnapshotProvider({
      store: { ...store, resources },
      trustDomain,
      schemaOf: (spec) => topicSchemas.schemaOf(spec),
      isPaused: rewinder.isPaused,
      log,
    }),
    onReport: telemetry.report,
    log,
  })

  // After the sidecars' port: topics may take as long as the broker is away, and nobody waits for them.
  const wanted = () => topicsOf(resources())
  const topics = startTopicReconciler({ admin: kafka.current, wanted, onChange: store.onChange, log })

  const acls = startAclWriter({
    admin: kafka.current,
    mesh: () => meshOf(resources()),
    trustDomain,
    wanted: () => wantedAcls(resources(), trustDomain),
    onChange: store.onChange,
    log,
  })

  // Last, because its /ready speaks for everything above.
  let isStopping = false
  const http = await startHttp({
    host: config.httpHost,
    port: config.httpPort,
    allowedHosts: config.httpAllowedHosts,
    token,
    store,
    topicStatus: (topic) => worseOf(topics.status(topic), topicSchemas.status(topic)),
    authority,
    tokens,
    registry: grpc.registry,
    policies: () => policyIndex(resources(), trustDomain),
    metrics,
    isReady: () => !isStopping,
    extend: (app) => {
      registerTelemetryRoutes(app, telemetry)
      registerDeadLetterRoutes(app, { desk: new DeadLetterDesk(kafka.connection), resources })
      registerSchemaRoutes(app, new SchemaRegistry(schemaLog), () => schemas.remote)
      registerRewindRoutes(app, rewinder)
      registerAclRoutes(app, acls)
      registerDashboard(app)
    },
    log,
  })

  stopOnSignal(log, config.drainMs + STOP_GRACE_MS, async () => {
    isStopping = true
    // The doors first, then what stands behind them; the store last, so that a write in flight is durable.
    await Promise.all([http.drain(config.drainMs), grpc.drain(config.drainMs)])
    await Promise.all([topics.close(), topicSchemas.close(), acls.close(), lag.stop()])
    schemas.close()
    await schemaLog.close()
    await kafka.close()
    await store.close()
  })
  await announce(config, { grpc: grpc.port, http: http.port })
}

/** For whoever started this process: the ports in a file, the addresses in the log. */
async function announce(
  config: Config,
  ports: { readonly grpc: number; readonly http: number },
): Promise<void> {
  if (config.portsFile !== undefined) await replaceFile(config.portsFile, `${JSON.stringify(ports)}\n`, 0o644)
  const { httpHost, grpcHost, stateDir, trustDomain, resourceFolders } = config
  if (!/^(127\.|localhost$|::1$)/.test(httpHost))
    log.warn(
      { httpHost },
      'the HTTP port is not on loopback: whoever reaches it can read resources, graph and traces',
    )
  log.info(
    {
      api: `http://${httpHost}:${ports.http}`,
      grpc: `${grpcHost}:${ports.grpc}`,
      adminToken: join(stateDir, 'admin-token'),
      resources: resourceFolders,
      trustDomain,
    },
    'the control plane is ready',
  )
}
