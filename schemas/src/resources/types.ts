/**
 * The resource kinds: those of group mesh.weft.dev/v1, and the Gateway API's own where it has one. Each has two forms: the
 * input that a person writes (…Input), and the completed one, in which every default is filled in and later code tests nothing.
 */

import type { CompatibilityLevel } from '../event-schema/schema.ts'
import type { AccessPolicySpec } from '../policy/types.ts'
import type {
  Durability,
  ProducerSettings,
  RecordTrace,
  SchemaValidation,
  TopicFault,
  TopicQuota,
  ValueFormat,
} from '../snapshot-topics.ts'
import type { ExternalServiceSpec, ExternalServiceSpecInput } from './specs/external-service.ts'
import type { GatewaySpec, GatewaySpecInput } from './specs/gateway.ts'
import type { GRPCRouteSpec, GRPCRouteSpecInput } from './specs/grpc-route.ts'
import type { HTTPRouteSpec, HTTPRouteSpecInput } from './specs/http-route.ts'
import type { JwtProviderSpec, JwtProviderSpecInput } from './specs/jwt-provider.ts'
import { GATEWAY_API_VERSION } from './specs/route.ts'
import type { TrafficPolicySpec, TrafficPolicySpecInput } from './specs/traffic-policy.ts'

export const API_VERSION = 'mesh.weft.dev/v1'

export const KINDS = [
  'Service',
  'Workload',
  'AccessPolicy',
  'HTTPRoute',
  'GRPCRoute',
  'Gateway',
  'TrafficPolicy',
  'Topic',
  'Subscription',
  'JwtProvider',
  'ExternalService',
  'Mesh',
] as const
export type Kind = (typeof KINDS)[number]
type GatewayKind = 'HTTPRoute' | 'GRPCRoute' | 'Gateway'

const GATEWAY_KINDS: ReadonlySet<Kind> = new Set<GatewayKind>(['HTTPRoute', 'GRPCRoute', 'Gateway'])

/** What stands in `apiVersion` of a resource of this kind. */
export const apiVersionOf = (kind: Kind): ApiVersion =>
  GATEWAY_KINDS.has(kind) ? GATEWAY_API_VERSION : API_VERSION

export const API_VERSIONS = [API_VERSION, GATEWAY_API_VERSION] as const
type ApiVersion = (typeof API_VERSIONS)[number]
type ApiVersionOf<K extends Kind> = K extends GatewayKind ? typeof GATEWAY_API_VERSION : typeof API_VERSION

export interface Metadata {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

interface ResourceOf<K extends Kind, Spec> {
  readonly apiVersion: ApiVersionOf<K>
  readonly kind: K
  readonly metadata: Metadata
  readonly spec: Spec
}

interface InputOf<K extends Kind, Spec> {
  readonly apiVersion: ApiVersionOf<K>
  readonly kind: K
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Metadata['labels']
  }
  readonly spec: Spec
}

export interface ServicePort {
  readonly name?: string
  readonly port: number
  readonly protocol: 'http' | 'http2' | 'grpc' | 'tcp'
  /** Where the app listens for it on loopback; there for protocol tcp, and for no other. */
  readonly targetPort?: number
}

/** A name that callers use, and the workloads behind it: those of its namespace whose labels hold all of `selector`. */
export interface ServiceSpec {
  readonly selector: Readonly<Record<string, string>>
  readonly ports: readonly ServicePort[]
  /** Addresses that mean this service beside its name, for callers whose traffic is captured. */
  readonly addresses?: readonly string[]
}

export interface ServiceSpecInput {
  readonly selector: Readonly<Record<string, string>>
  readonly ports?: readonly (Partial<ServicePort> & { readonly name?: string })[]
  readonly addresses?: readonly string[]
}

/** One running instance: the inbound listener of its sidecar, and the service account that it proves. */
export interface WorkloadSpec {
  readonly serviceAccount: string
  readonly address: string
  readonly inboundPort: number
  readonly appPort?: number
  readonly adminPort?: number
  /** Share of the load beside other workloads of its service; 1 where absent. */
  readonly weight?: number
}

export type WorkloadSpecInput = Omit<WorkloadSpec, 'address'> & { readonly address?: string }

export type AccessPolicySpecInput = Omit<AccessPolicySpec, 'action' | 'mode'> &
  Partial<Pick<AccessPolicySpec, 'action' | 'mode'>>

/** A Kafka topic as a contract. `name` is the one Kafka knows: that of the metadata, unless Kafka's is no DNS name. */
export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
  readonly maxMessageBytes: number
  readonly producer: ProducerSettings
  readonly durability: Durability
  readonly trace: RecordTrace
  readonly quota?: TopicQuota
  readonly faults?: readonly TopicFault[]
  readonly schema?: TopicSchemaSpec
}

/** What events of a topic look like, and how that may change. */
export interface TopicSchemaSpec {
  readonly type: 'avro' | 'json'
  /** In the registry. */
  readonly subject: string
  /** Registered where it is not; the latest of the subject where absent. JSON. */
  readonly definition?: string
  readonly validation: SchemaValidation
  /** That of the registry where absent. */
  readonly compatibility?: CompatibilityLevel
}

export type TopicSpecInput = Partial<Omit<TopicSpec, 'config' | 'producer' | 'schema'>> & {
  readonly schema?: Omit<TopicSchemaSpec, 'subject' | 'definition' | 'validation'> & {
    readonly subject?: string
    readonly validation?: SchemaValidation
    readonly definition?: string | Readonly<Record<string, unknown>>
  }
  readonly producer?: Partial<ProducerSettings>
  readonly config?: Readonly<Record<string, string | number | boolean>>
}

/** Delivery of a topic to a service of the same namespace. */
export interface SubscriptionSpec {
  readonly topic: string
  readonly service: string
  /** Where records are posted; absent: the service comes for them. */
  readonly path?: string
  readonly group: string
  /** Of values of a topic with a schema; `json` where absent. */
  readonly format?: ValueFormat
  /** In CEL; every record where absent. */
  readonly filter?: string
  /** `earliest`, `latest`, or an RFC 3339 timestamp: the first record of that time or later. */
  readonly startAt: string
  readonly maxInFlight: number
  readonly timeoutMs: number
  readonly retry: {
    readonly attempts: number
    readonly backoffBaseMs: number
    readonly backoffMaxMs: number
    /** After the others one more attempt after each of these, from a topic of its own; none where absent. */
    readonly laterMs?: readonly number[]
  }
  readonly deadLetterTopic: string
}

export type SubscriptionSpecInput = Pick<SubscriptionSpec, 'topic' | 'service'> &
  Partial<Omit<SubscriptionSpec, 'retry'>> & { readonly retry?: Partial<SubscriptionSpec['retry']> }

/** Where apps may call to beside the services of the mesh: only where an ExternalService says so, or anywhere. */
export type EgressMode = 'registryOnly' | 'allowAll'

export type AclMode = 'managed' | 'unmanaged'

/** What holds for the whole mesh. There is one, named `mesh`. */
export interface MeshSpec {
  readonly defaultAction: 'allow' | 'deny'
  /** Whether inbound listeners take plain text beside mTLS; its callers are anonymous. */
  readonly mtls: 'strict' | 'permissive'
  readonly egress: EgressMode
  /** Share of new traces that are recorded, 0 to 1. */
  readonly tracing: { readonly samplingRatio: number }
  readonly kafka?: {
    readonly bootstrapServers: readonly string[]
    readonly security: 'mtls' | 'tls' | 'plaintext'
    /** managed: the brokers' own ACLs of the mesh's workloads are written by the control plane. */
    readonly acls: AclMode
  }
  /** Absent: that of the control plane. */
  readonly schemaRegistry?: { readonly url: string }
}

export interface MeshSpecInput {
  readonly defaultAction?: 'allow' | 'deny'
  readonly mtls?: 'strict' | 'permissive'
  readonly egress?: EgressMode
  readonly tracing?: { readonly samplingRatio?: number }
  readonly kafka?: {
    readonly bootstrapServers: readonly string[]
    readonly security?: 'mtls' | 'tls' | 'plaintext'
    readonly acls?: AclMode
  }
  readonly schemaRegistry?: { readonly url: string }
}

export type ServiceResource = ResourceOf<'Service', ServiceSpec>
export type WorkloadResource = ResourceOf<'Workload', WorkloadSpec>
export type AccessPolicyResource = ResourceOf<'AccessPolicy', AccessPolicySpec>
export type TrafficPolicyResource = ResourceOf<'TrafficPolicy', TrafficPolicySpec>
export type TopicResource = ResourceOf<'Topic', TopicSpec>
export type SubscriptionResource = ResourceOf<'Subscription', SubscriptionSpec>
export type JwtProviderResource = ResourceOf<'JwtProvider', JwtProviderSpec>
export type ExternalServiceResource = ResourceOf<'ExternalService', ExternalServiceSpec>
export type GatewayResource = ResourceOf<'Gateway', GatewaySpec>
export type MeshResource = ResourceOf<'Mesh', MeshSpec>
export type HTTPRouteResource = ResourceOf<'HTTPRoute', HTTPRouteSpec>
export type GRPCRouteResource = ResourceOf<'GRPCRoute', GRPCRouteSpec>

/** A resource, completed. */
export type Resource =
  | ServiceResource
  | WorkloadResource
  | AccessPolicyResource
  | TrafficPolicyResource
  | TopicResource
  | SubscriptionResource
  | JwtProviderResource
  | ExternalServiceResource
  | GatewayResource
  | MeshResource
  | HTTPRouteResource
  | GRPCRouteResource

/** A resource as it is written: what `validateResource` takes when all is well. */
export type ResourceInput =
  | InputOf<'Service', ServiceSpecInput>
  | InputOf<'Workload', WorkloadSpecInput>
  | InputOf<'AccessPolicy', AccessPolicySpecInput>
  | InputOf<'TrafficPolicy', TrafficPolicySpecInput>
  | InputOf<'Topic', TopicSpecInput>
  | InputOf<'Subscription', SubscriptionSpecInput>
  | InputOf<'JwtProvider', JwtProviderSpecInput>
  | InputOf<'ExternalService', ExternalServiceSpecInput>
  | InputOf<'Gateway', GatewaySpecInput>
  | InputOf<'Mesh', MeshSpecInput>
  | InputOf<'HTTPRoute', HTTPRouteSpecInput>
  | InputOf<'GRPCRoute', GRPCRouteSpecInput>

/** The one resource type of a kind. */
export type ResourceOfKind<K extends Kind> = Extract<Resource, { readonly kind: K }>
/** The one input type of a kind. */
export type ResourceInputOfKind<K extends Kind> = Extract<ResourceInput, { readonly kind: K }>
