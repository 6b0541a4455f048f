import { readFile } from 'node:fs/promises'
import { startEvents } from '@weft/broker-bridge/events'
import { startWireProxy } from '@weft/broker-bridge/proxy'
import { ConfigError } from '@weft/schemas/node/config'
import { stopOnSignal } from '@weft/schemas/node/drain'
import { createLog } from '@weft/schemas/node/log'
import { createMetrics } from '@weft/schemas/node/metrics'
import { startAdmin, writePortsFile } from './admin.ts'
import { sidecarConfig } from './config.ts'
import { listenForEvents } from './events/index.ts'
import { startGateway } from './gateway/index.ts'
import { startIdentity } from './identity/index.ts'
import { startInbound } from './inbound/index.ts'
import { notCaptured, originalDestination } from './listen/index.ts'
import { startOutbound } from './outbound/index.ts'
import { edgeReporter } from './report.ts'
import { startSnapshots } from './snapshot/index.ts'
import { startTracing } from './telemetry.ts'
import { countCopiedRead, releaseWhenIdle } from './transport/read-memory.ts'

/** Each phase of the drain has its own deadline; see `drain`. */
const DRAIN_PHASES = 3
/** The time that the rest of the stop may take after the drain: leaving, flushing spans. */
const STOP_GRACE_MS = 5_000

/**
 * The sidecar process. What starts later needs what started before: identity → snapshot → listeners →
 * admin. It stops the other way round, and each plane in the order that loses nothing.
 */
async function main(): Promise<void> {
  const config = sidecarConfig(process.env)
  const log = createLog(`sidecar/${config.workload}`)
  const metrics = createMetrics({ processMetrics: true })

  const joinToken = (await readFile(config.joinTokenFile, 'utf8')).trim()
  const identity = await startIdentity({ controlPlane: config.controlPlane, joinToken, log, metrics })
  const serviceAccount = identity.current().spiffeId.serviceAccount

  const report = edgeReporter(metrics.registry, serviceAccount)
  const snapshots = await startSnapshots({
    controlPlane: config.controlPlane,
    identity,
    workload: config.workload,
    softwareVersion: '0.1.0',
    log,
    metrics,
    report,
  })

  const endpoints = [config.telemetryUrl, config.otlpEndpoint].filter((url) => url !== undefined)
  const tracing = await startTracing(serviceAccount, endpoints)
  const shared = { snapshots, identity, metrics, log, tracer: tracing.tracer }
  const loopback = '127.0.0.1'
  const destinationOf = config.capture === 'redirect' ? await originalDestination() : notCaptured

  const [outbound, inbound, ingress, gateway, events, kafka] = await Promise.all([
    startOutbound({ ...shared, host: loopback, port: config.outboundPort, destinationOf }),
    startInbound({
      ...shared,
      host: config.inboundHost,
      port: config.inboundPort,
      appPort: config.appPort,
      destinationOf,
    }),
    config.ingressPort === undefined
      ? undefined
      : startInbound({
          ...shared,
          host: loopback,
          port: config.ingressPort,
          appPort: config.appPort,
          plaintext: true,
        }),
    startGateway({
      ...shared,
      host: config.gatewayHost,
      certificatesFolder: config.gatewayCertificates,
    }),
    startEvents({
      ...shared,
      host: loopback,
      port: config.eventsPort,
      grpcPort: config.eventsGrpcPort,
      listen: listenForEvents(shared),
      spoolDir: config.spoolDir,
      appPort: config.appPort,
    }),
    startWireProxy({ ...shared, host: loopback, port: config.kafkaPort, onRead: countCopiedRead }),
  ])

  let draining: Promise<void> | undefined
  /**
   * Callers first: what they asked for may still publish and call. Then events: deliveries end, offsets are committed, producers
   * flushed. The app's own ways out close last, when nothing is left that could need them.
   */
  const drain = (): Promise<void> => {
    draining ??= (async () => {
      await Promise.all([
        ingress?.drain(config.drainMs),
        gateway.drain(config.drainMs),
        inbound.drain(config.drainMs),
      ])
      await events.drain(config.drainMs)
      await Promise.all([outbound.drain(config.drainMs), kafka.drain(config.drainMs)])
    })()
    return draining
  }

  const isReady = () => draining === undefined
  const admin = await startAdmin({
    port: config.adminPort,
    identity,
    snapshots,
    metrics,
    outbound,
    isReady,
    drain,
  })

  const ports = {
    outbound: outbound.port,
    inbound: inbound.port,
    ...(ingress !== undefined && { ingress: ingress.port }),
    events: events.port,
    eventsGrpc: events.grpcPort,
    kafka: kafka.port,
    admin: admin.port,
  }
  if (config.portsFile !== undefined) await writePortsFile(config.portsFile, ports)
  log.info({ identity: identity.current().spiffeId.uri, ports }, 'ready')
  releaseWhenIdle()

  stopOnSignal(log, DRAIN_PHASES * config.drainMs + STOP_GRACE_MS, async () => {
    await drain()
    await snapshots.close()
    identity.close()
    await tracing.shutdown()
    await admin.close()
  })
}

main().catch((error: unknown) => {
  // A faulty setting is the operator's to read; anything else keeps its stack.
  process.stderr.write(
    `sidecar: ${error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  )
  process.exit(error instanceof ConfigError ? 2 : 1)
})
