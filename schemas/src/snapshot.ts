/**
 * What one sidecar knows of the mesh, at one version. The control plane writes it (translate/), the
 * config stream carries it as JSON, a sidecar validates it whole, indexes and freezes it, and swaps one reference.
 */
import type { PolicyIndex } from './policy/decide.ts'
import type { NamedPolicy } from './policy/types.ts'
import type { ExternalSettings } from './snapshot-external.ts'
import type { GatewayEntry } from './snapshot-gateway.ts'
import type { JwtProviderEntry } from './snapshot-jwt.ts'
import type { RouteTable } from './snapshot-routes.ts'
import type { TopicEntry, ValueFormat } from './snapshot-topics.ts'
import type { InboundTraffic, TrafficSettings } from './snapshot-traffic.ts'

export type { ExternalSettings, OriginateTls } from './snapshot-external.ts'
export type { GatewayEntry, GatewayListener, GatewayTls } from './snapshot-gateway.ts'
export type { JwksSource, JwtAlgorithm, JwtProviderEntry } from './snapshot-jwt.ts'
export {
  COMPRESSIONS,
  DEFAULT_PRODUCER,
  DEFAULT_RECORD_TRACE,
  type ProducerSettings,
  type RecordTrace,
  type TopicEntry,
  type TopicFault,
  type TopicSchema,
  type ValueFormat,
} from './snapshot-topics.ts'
export {
  type AdaptiveConcurrency,
  type Balancer,
  DEFAULT_ADAPTIVE_CONCURRENCY,
  DEFAULT_HEALTH_CHECK,
  DEFAULT_SUCCESS_RATE,
  DEFAULT_TRAFFIC,
  type FaultInjection,
  type HashKey,
  type HeaderMatch,
  type HealthCheck,
  type HealthProbe,
  type InboundTraffic,
  type LoadBalancing,
  type Locality,
  type OutlierDetection,
  type RateLimit,
  type RetryCondition,
  type RetrySettings,
  type SlowStart,
  type Subset,
  type SuccessRate,
  type TrafficSettings,
  ZONE_LABEL,
} from './snapshot-traffic.ts'
export { type SnapshotValidation, validateSnapshot } from './snapshot-validate.ts'

/** One instance of a service: the inbound listener of its sidecar. */
export interface Endpoint {
  readonly address: string
  readonly port: number
  /** SPIFFE id that the endpoint must prove in the handshake. */
  readonly identity: string
  readonly labels: Readonly<Record<string, string>>
  /** Share of the load beside the others'; 1 where absent. */
  readonly weight?: number
}

export interface ServiceEntry {
  readonly name: string
  readonly namespace: string
  /** Every authority that means this service, lower case, with and without port: `order-service`, `order-service.default:80`… */
  readonly hosts: readonly string[]
  readonly endpoints: readonly Endpoint[]
  readonly traffic: TrafficSettings
  /** How callers follow the routes of the service; absent where it has none. */
  readonly routes?: RouteTable
  /** Ports whose bytes nobody reads. Absent: none. */
  readonly tcpPorts?: readonly number[]
  /** Present where the service is outside of the mesh: its endpoints have no identity. */
  readonly external?: ExternalSettings
}

/** A port of protocol tcp of the own service, and where the app listens for it on loopback. */
export interface TcpPort {
  readonly port: number
  readonly appPort: number
}

/** Push delivery of a topic to a path of the local app. Complete. */
export interface SubscriptionEntry {
  readonly name: string
  readonly topic: string
  readonly group: string
  /** Where the app has records posted; absent: it comes for them. */
  readonly path?: string
  /** How the value of a record is given where its topic has a schema: read by it, or as it is stored. `json` where absent. */
  readonly format?: ValueFormat
  /** Which records it is about, as event-filter.ts reads it; every one where absent. */
  readonly filter?: string
  /** `earliest`, `latest`, or an RFC 3339 timestamp. */
  readonly startAt: string
  /** Keys of one partition that may be in delivery at once; 1 is strict order of the partition. */
  readonly maxInFlight: number
  readonly timeoutMs: number
  readonly retry: { readonly attempts: number; readonly backoffBaseMs: number; readonly backoffMaxMs: number }
  readonly deadLetterTopic: string
  /** From which dead letters are delivered once more that somebody has sent back. */
  readonly redriveTopic?: string
  /** Where a record waits, in this order, when its attempts are used up: it is delivered once from each, so long after it came. */
  readonly retryTopics?: readonly RetryTopic[]
}

export interface RetryTopic {
  readonly topic: string
  readonly delayMs: number
}

export interface KafkaCluster {
  /** `host:port` */
  readonly bootstrapServers: readonly string[]
  /** mtls: the workload's own certificate; tls: only the broker proves itself; plaintext: neither. */
  readonly security: 'mtls' | 'tls' | 'plaintext'
}

export interface Snapshot {
  /** Grows with every change; what ACK and NACK name. */
  readonly version: number
  readonly trustDomain: string
  /** What the control plane takes the receiver to be. `service` is absent where no Service selects the workload. */
  readonly workload: {
    readonly identity: string
    readonly namespace: string
    readonly service?: string
    /** Where it runs: its label `topology.kubernetes.io/zone`. */
    readonly zone?: string
    /** What its app speaks on loopback. Absent: HTTP/1.1; gRPC comes over HTTP/2 in any case. */
    readonly appProtocol?: 'http1' | 'http2'
    readonly tcpPorts?: readonly TcpPort[]
  }
  /** Whether inbound listeners take plain text beside mTLS. Absent: strict. */
  readonly mtls?: 'strict' | 'permissive'
  readonly defaultAction: 'allow' | 'deny'
  /** Share of new traces that are recorded, 0 to 1. A caller's own decision is always followed. */
  readonly samplingRatio: number
  /** Present where apps may call hosts that no service has. */
  readonly egress?: 'allowAll'
  readonly kafka?: KafkaCluster
  readonly services: readonly ServiceEntry[]
  readonly policies: readonly NamedPolicy[]
  /** Those that a policy of this snapshot names. */
  readonly jwtProviders: readonly JwtProviderEntry[]
  readonly topics: readonly TopicEntry[]
  readonly subscriptions: readonly SubscriptionEntry[]
  /** The Gateway that the receiver serves. */
  readonly gateway?: GatewayEntry
  /** What the receiver lets through to its own app; absent: everything. */
  readonly inbound?: InboundTraffic
}

/** A snapshot with the indexes that the request path looks things up in. */
export interface IndexedSnapshot {
  readonly snapshot: Snapshot
  readonly serviceByHost: ReadonlyMap<string, ServiceEntry>
  readonly topicByName: ReadonlyMap<string, TopicEntry>
  /** What `decide` is asked with. */
  readonly policies: PolicyIndex
}

/**
 * Holder of the current snapshot: read the reference once per request; `onChange` runs after the swap. A swap
 * that changed nothing but the version (the control plane came back) is not announced.
 */
export interface SnapshotSource {
  current(): IndexedSnapshot
  /** Returns the function that ends the subscription. */
  onChange(listener: (now: IndexedSnapshot) => void): () => void
}

/** Indexes and freezes. The input has passed `validateSnapshot`. */
export function indexSnapshot(snapshot: Snapshot): IndexedSnapshot {
  const serviceByHost = new Map<string, ServiceEntry>()
  for (const service of snapshot.services) for (const host of service.hosts) serviceByHost.set(host, service)
  const topicByName = new Map(snapshot.topics.map((topic) => [topic.name, topic]))
  const { trustDomain, defaultAction, policies } = snapshot
  return Object.freeze({
    snapshot: Object.freeze(snapshot),
    serviceByHost,
    topicByName,
    policies: { trustDomain, defaultAction, policies },
  })
}
