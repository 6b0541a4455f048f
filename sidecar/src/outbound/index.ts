/**
 * The outbound path: from the local app to the sidecar of another service. The order of the layers is argued here, once;
 * that of the layers below the route, which each target has for itself, in stack.ts.
 */
import type { Tracer } from '@opentelemetry/api'
import type { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import { accessLog } from '../layers/access-log.ts'
import { grpcDeadline } from '../layers/grpc-deadline.ts'
import { countCalls } from '../layers/grpc-metrics.ts'
import { countRequests, type MetricsLayerOptions } from '../layers/metrics.ts'
import { rescue } from '../layers/rescue.ts'
import { tcpMetrics } from '../layers/tcp-metrics.ts'
import { traceRequests } from '../layers/trace.ts'
import {
  DETECTION_TIMEOUT_MS,
  type DestinationOf,
  type Listener,
  listen,
  notCaptured,
} from '../listen/index.ts'
import { DEFAULT_LIMITS, type Http1Limits } from '../transport/http1/limits.ts'
import { outboundConnections } from './connections.ts'
import { countEndpoints, type ServiceReport, serviceReport } from './endpoint-report.ts'
import { systemResolve } from './external/addresses.ts'
import { OutsideTcp } from './external/outside-tcp.ts'
import { Router } from './route.ts'
import { targetStack } from './stack.ts'
import { OutboundTcp } from './tcp.ts'

export interface OutboundOptions {
  readonly host: string
  readonly port: number
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly metrics: Metrics
  readonly log: Log
  readonly tracer: Tracer
  /** Where a captured connection was meant to go. Absent: nothing is captured. */
  readonly destinationOf?: DestinationOf
  /** Default: DEFAULT_LIMITS. */
  readonly limits?: Http1Limits
}

const EXPIRY_CHECK_MS = 1_000

export interface Outbound extends Listener {
  /** What is known of the endpoints of every service, for people. */
  endpoints(): readonly ServiceReport[]
}

/** Listens for the local app. Rejects where the port cannot be bound. */
export async function startOutbound(options: OutboundOptions): Promise<Outbound> {
  const { snapshots, identity, metrics, log, tracer, limits = DEFAULT_LIMITS } = options
  // Under rescue: an unknown host is an error like any other, and is answered as one.
  const router = new Router({ snapshots, identity, ...targetStack({ snapshots, identity, metrics }) })
  // Above all attempts, and under rescue: a call that is late is answered with its status.
  const limited = grpcDeadline(router)
  // Turns errors into answers, so that the layers above see what the app gets to see.
  const rescued = rescue(limited)
  const logged = accessLog(rescued, log)
  const counting: MetricsLayerOptions = {
    direction: 'outbound',
    metrics,
    sourceOf: () => identity.current().spiffeId.serviceAccount,
  }
  // Counts answers, those that rescue made among them. Cancelled requests count as 499.
  const counted = countRequests(countCalls(logged, counting), counting)
  // Outermost: the span covers all that was done for the request, and every answer carries its context.
  const service = traceRequests(counted, {
    tracer,
    kind: 'client',
    samplingRatio: () => snapshots.current().snapshot.samplingRatio,
  })

  const tcpCounts = tcpMetrics(metrics, 'outbound')
  const rejected = metrics.counter('weft_http_rejected_total')
  const gauge = metrics.gauge('weft_endpoints')
  const expiry = setInterval(() => {
    router.dropExpired(performance.now())
    for (const { service, endpoints } of router.clusters) countEndpoints(service.name, endpoints, gauge)
  }, EXPIRY_CHECK_MS)
  expiry.unref()
  const onRejected = (error: MeshError): void => {
    rejected.inc({ direction: 'outbound', code: error.row.id })
    log.debug({ code: error.row.id, reason: error.message }, 'request refused')
  }
  const listener = await listen({
    host: options.host,
    port: options.port,
    detectionTimeoutMs: Math.min(DETECTION_TIMEOUT_MS, limits.idleTimeoutMs),
    ...outboundConnections({
      router,
      service,
      tcp: new OutboundTcp({ identity, metrics: tcpCounts }),
      outsideTcp: new OutsideTcp({
        snapshots,
        identity,
        resolve: systemResolve(),
        metrics,
        tcpMetrics: tcpCounts,
      }),
      limits,
      onRejected,
      destinationOf: options.destinationOf ?? notCaptured,
    }),
    async onDrained() {
      clearInterval(expiry)
      await router.close()
    },
  })
  return {
    ...listener,
    endpoints: () => router.clusters.map(({ service, endpoints }) => serviceReport(service, endpoints)),
  }
}
