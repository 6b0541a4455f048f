/** The way into the mesh: from callers outside to the services that routes name. The order of the layers is argued here, once. */
import type { Tracer } from '@opentelemetry/api'
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { GatewayEntry, GatewayListener, IndexedSnapshot, SnapshotSource } from '@weft/schemas/snapshot'
import { authorize } from '../inbound/authorize.ts'
import { TokenVerifier } from '../jwt/verifier.ts'
import { accessLog } from '../layers/access-log.ts'
import { authenticate } from '../layers/authenticate.ts'
import { countRequests } from '../layers/metrics.ts'
import { limitRates } from '../layers/rate-limit.ts'
import { rescue } from '../layers/rescue.ts'
import { traceRequests } from '../layers/trace.ts'
import { Router } from '../outbound/route.ts'
import { targetStack } from '../outbound/stack.ts'
import type { Peer, RequestHead, Service } from '../transport/exchange.ts'
import { limitBody } from './body-limit.ts'
import { callerOf } from './caller.ts'
import { GatewayCertificates } from './certificates.ts'
import { forwarded } from './forwarded.ts'
import type { GatewayConnection } from './port.ts'
import { GatewayPorts } from './ports.ts'

export interface GatewayOptions {
  readonly host: string
  /** Folder of the certificates that listeners name. Undefined: there are none. */
  readonly certificatesFolder: string | undefined
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly metrics: Metrics
  readonly log: Log
  readonly tracer: Tracer
}

export interface Gateway {
  /** Resolves when the ports that the snapshot of this moment names have been opened, or could not be. */
  settled(): Promise<void>
  /** As a listener's. */
  drain(deadlineMs: number): Promise<void>
}

/** How soon a renewed certificate, or a port that has become free, is noticed. */
const CHECK_INTERVAL_MS = 5_000
const EXPIRY_CHECK_MS = 1_000

/** Opens the ports of the Gateway that this workload serves, as snapshots say; none where it serves none. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { snapshots, identity, metrics, log, tracer } = options
  const router = new Router({ snapshots, identity, ...targetStack({ snapshots, identity, metrics }) })
  const connections = new WeakMap<Peer, GatewayConnection>()
  const connectionOf = ({ peer }: RequestHead): GatewayConnection => {
    const connection = connections.get(peer)
    if (connection === undefined) throw new MeshError('internal', 'a request came by no port of the gateway')
    return connection
  }

  // Last: what may pass goes where the routes of its listener say.
  const routed = followListeners(router, snapshots, connectionOf)
  // Below the decision: what is refused uses up nobody's share. Above the routes: what is over a limit reaches no service.
  const limited = limitRates(routed, {
    limits: () => snapshots.current().snapshot.gateway?.rateLimits,
    callerOf: (head) => callerOf(head, connectionOf(head).address),
    metrics,
  })
  // Before it, on what the connection and the token prove: who may not call learns nothing of what is here.
  const authorized = authorize(limited, { snapshots, metrics, log, targetOf: gatewayTarget })
  // Before the decision, which may ask for claims.
  const verifier = new TokenVerifier({ snapshots, metrics, log })
  const authenticated = authenticate(authorized, verifier)
  // Before anything that reads a field: what callers wrote about themselves is gone from here on.
  const cleaned = forwarded(authenticated, connectionOf)
  // Turns refusals and errors into answers, so that the layers above see what the caller gets to see.
  const rescued = rescue(cleaned)
  const logged = accessLog(rescued, log)
  // Counts answers, refusals among them, as calls of the gateway: what is outside has no name.
  const counted = countRequests(logged, {
    direction: 'outbound',
    metrics,
    sourceOf: () => identity.current().spiffeId.serviceAccount,
  })
  // Outermost: the trace begins where the mesh does.
  const service = traceRequests(counted, {
    tracer,
    kind: 'server',
    samplingRatio: () => snapshots.current().snapshot.samplingRatio,
  })

  const rejected = metrics.counter('weft_http_rejected_total')
  const ports = new GatewayPorts(
    {
      host: options.host,
      certificates: new GatewayCertificates(options.certificatesFolder, (reason) =>
        log.error({ reason }, 'a listener of the gateway has no certificate'),
      ),
      service,
      onConnection: (peer, connection) => connections.set(peer, connection),
      onRejected(error) {
        rejected.inc({ direction: 'inbound', code: error.row.id })
        log.debug({ code: error.row.id, reason: error.message }, 'request refused')
      },
    },
    log,
  )
  let adopting = ports.adopt(snapshots.current())
  await adopting
  const endSubscription = snapshots.onChange((now) => {
    adopting = ports.adopt(now)
  })
  const checking = setInterval(() => void ports.refresh(), CHECK_INTERVAL_MS)
  const expiry = setInterval(() => router.dropExpired(performance.now()), EXPIRY_CHECK_MS)
  checking.unref()
  expiry.unref()
  return {
    settled: () => adopting,
    async drain(deadlineMs) {
      endSubscription()
      clearInterval(checking)
      await ports.drain(deadlineMs)
      clearInterval(expiry)
      verifier.close()
      await router.close()
    },
  }
}

const gatewayTarget = ({ snapshot }: IndexedSnapshot) => {
  const { gateway } = snapshot
  if (gateway === undefined)
    throw new MeshError('unavailable', 'expected a Gateway that this workload serves; there is none any more')
  return { resource: 'gateway', service: gateway.name, namespace: gateway.namespace } as const
}

/** Finds the listener of a request by its host, and follows its routes; their handlers are built once for each snapshot. */
function followListeners(
  router: Router,
  snapshots: SnapshotSource,
  connectionOf: (head: RequestHead) => GatewayConnection,
): Service {
  let current: IndexedSnapshot | undefined
  let handlers = new Map<GatewayListener, Service>()
  const handlerOf = (listener: GatewayListener): Service => {
    const now = snapshots.current()
    if (now !== current) {
      current = now
      handlers = new Map()
    }
    let handler = handlers.get(listener)
    if (handler === undefined) {
      handler = followListener(router, listener, now.snapshot.gateway)
      handlers.set(listener, handler)
    }
    return handler
  }
  return {
    call(head, response) {
      const { port, provenFor } = connectionOf(head)
      const listener = port.listenerFor(head.authority)
      if (listener === undefined)
        throw new MeshError('no_route', `expected a host of a listener; ${head.authority || 'none'} came`)
      // RFC 9110, section 15.5.20: what the handshake proved, its certificate and that of the caller, holds for its own host only.
      if (provenFor !== undefined && provenFor !== listener.name)
        throw new MeshError('misdirected', `expected a host of listener ${provenFor}; ${head.authority} came`)
      return handlerOf(listener).call(head, response)
    },
  }
}

function followListener(
  router: Router,
  listener: GatewayListener,
  gateway: GatewayEntry | undefined,
): Service {
  const { routes, tls, name } = listener
  if (routes === undefined)
    return {
      call() {
        throw new MeshError('no_route', `expected a route for listener ${name}; none attaches to it`)
      },
    }
  // Below the routes there is a service; a body that is too large must not begin to reach it.
  return limitBody(
    router.follow({ routes, service: undefined, scheme: tls === undefined ? 'http' : 'https' }),
    gateway?.maxBodyBytes,
  )
}
