/** The inbound path: from other sidecars, or a plain-text ingress, to the local app. The order of the layers is argued here, once. */
import type { Tracer } from '@opentelemetry/api'
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import { TokenVerifier } from '../jwt/verifier.ts'
import { accessLog } from '../layers/access-log.ts'
import { authenticate } from '../layers/authenticate.ts'
import { grpcDeadline } from '../layers/grpc-deadline.ts'
import { countCalls } from '../layers/grpc-metrics.ts'
import { countRequests, type MetricsLayerOptions } from '../layers/metrics.ts'
import { limitRates } from '../layers/rate-limit.ts'
import { rescue } from '../layers/rescue.ts'
import { traceRequests } from '../layers/trace.ts'
import {
  DETECTION_TIMEOUT_MS,
  type DestinationOf,
  type Listener,
  listen,
  notCaptured,
} from '../listen/index.ts'
import type { Service } from '../transport/exchange.ts'
import { DEFAULT_LIMITS, type Http1Limits } from '../transport/http1/limits.ts'
import { appAt } from './app.ts'
import { authorize } from './authorize.ts'
import { authorizeTcp } from './authorize-tcp.ts'
import { limitConcurrency } from './concurrency.ts'
import { inboundConnections } from './connections.ts'
import { identityHeaders } from './identity-headers.ts'
import { ownService } from './withdrawn.ts'

export interface InboundOptions {
  readonly host: string
  readonly port: number
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly metrics: Metrics
  readonly log: Log
  readonly tracer: Tracer
  /** On 127.0.0.1. Undefined: there is no app, and every request is answered with 503. */
  readonly appPort: number | undefined
  /** True: no TLS, callers are anonymous; for an ingress on loopback. */
  readonly plaintext?: boolean
  /** Where a captured connection was meant to go. Absent: nothing is captured. */
  readonly destinationOf?: DestinationOf
  /** Default: DEFAULT_LIMITS. */
  readonly limits?: Http1Limits
}

const EXPIRY_CHECK_MS = 1_000

/** Listens for callers. Rejects where the port cannot be bound. */
export async function startInbound(options: InboundOptions): Promise<Listener> {
  const { snapshots, identity, metrics, log, tracer, plaintext = false, limits = DEFAULT_LIMITS } = options
  const isHttp2 = (): boolean => snapshots.current().snapshot.workload.appProtocol === 'http2'
  const app = options.appPort === undefined ? undefined : appAt(options.appPort, isHttp2)

  // Below the decision: what is refused uses up nobody's share.
  const spared = spare(app ?? noApp, { snapshots, metrics })
  // On nothing but what may pass: the path that was judged is, byte for byte, the path that is sent.
  const authorized = authorize(spared, { snapshots, metrics, log, targetOf: ownService })
  // Before the decision, which may ask for its claims; what is no valid token does not get as far as a policy.
  const verifier = new TokenVerifier({ snapshots, metrics, log })
  const authenticated = authenticate(authorized, verifier)
  // Before the decision, so that nothing that is asked or logged from there on can come from a forged field.
  const identified = identityHeaders(authenticated)
  // Around all that takes time, and under rescue: a call that is late is answered with its status.
  const limited = grpcDeadline(identified)
  // Turns refusals and errors into answers, so that the layers above see what the caller gets to see.
  const rescued = rescue(limited)
  const logged = accessLog(rescued, log)
  const counting: MetricsLayerOptions = {
    direction: 'inbound',
    metrics,
    sourceOf: ({ peer }) => peer.id?.serviceAccount ?? '-',
  }
  // Counts answers, refusals among them.
  const counted = countRequests(named(countCalls(logged, counting), identity), counting)
  // Outermost: the span covers all that was done for the request, and refusals are seen in the trace.
  const service = traceRequests(counted, {
    tracer,
    kind: 'server',
    samplingRatio: () => snapshots.current().snapshot.samplingRatio,
  })

  const rejected = metrics.counter('weft_http_rejected_total')
  const onRejected = (error: MeshError): void => {
    rejected.inc({ direction: 'inbound', code: error.row.id })
    log.debug({ code: error.row.id, reason: error.message }, 'request refused')
  }
  const expiry = setInterval(() => app?.dropExpired(performance.now()), EXPIRY_CHECK_MS)
  expiry.unref()
  return listen({
    host: options.host,
    port: options.port,
    ...(!plaintext && { identity }),
    detectionTimeoutMs: Math.min(DETECTION_TIMEOUT_MS, limits.idleTimeoutMs),
    ...inboundConnections({
      ...options,
      service,
      limits,
      plaintext,
      authorizeTcp: authorizeTcp({ snapshots, metrics, log }),
      destinationOf: options.destinationOf ?? notCaptured,
      onRejected,
    }),
    async onDrained() {
      clearInterval(expiry)
      verifier.close()
      await app?.close()
    },
  })
}

/** The app, behind what its TrafficPolicy lets through. */
function spare(app: Service, { snapshots, metrics }: Pick<InboundOptions, 'snapshots' | 'metrics'>): Service {
  const inbound = () => snapshots.current().snapshot.inbound
  // Next to the app: what it measures is the time of the app, and nothing else.
  const bearable = limitConcurrency(app, { settings: () => inbound()?.adaptiveConcurrency, metrics })
  // Above it: a caller that is over its share takes none of the places.
  return limitRates(bearable, {
    limits: () => inbound()?.rateLimits,
    callerOf: ({ peer }) => peer.id?.uri ?? 'anonymous',
    metrics,
  })
}

const noApp: Service = {
  call() {
    throw new MeshError('unavailable', 'expected an app behind this sidecar; WEFT_APP_PORT is not set')
  },
}

/** Says who answers here, for everything that counts. */
function named(inner: Service, identity: IdentitySource): Service {
  return {
    call(head, response) {
      head.notes.destination = identity.current().spiffeId.serviceAccount
      return inner.call(head, response)
    },
  }
}
