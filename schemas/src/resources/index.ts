export {
  DEFAULT_KAFKA_ACLS,
  DEFAULT_MTLS,
  DEFAULT_NAMESPACE,
  DEFAULT_SAMPLING_RATIO,
  defaultDeadLetterTopic,
  redriveTopic,
  retryTopic,
} from './defaults.ts'
export { type DocumentSource, type ReadDocument, readDocument } from './document.ts'
export { type Fault, type FaultPath, formatPath, type PositionedFault } from './fault.ts'
export { resourceKey } from './key.ts'
export { MAX_BODY_BYTES, MAX_HEAD_BYTES } from './kinds/gateway.ts'
export { kindNamed, RESOURCE_SCHEMAS } from './kinds/index.ts'
export type { Position } from './position.ts'
export {
  createLocator,
  MAX_TEXT_BYTES,
  type ReadResource,
  type ReadResult,
  readResources,
  YAML_OPTIONS,
} from './read.ts'
export type { GRPCRouteMatch, GRPCRouteRule } from './specs/grpc-route.ts'
export type { HTTPRouteFilter, HTTPRouteMatch, HTTPRouteRule } from './specs/http-route.ts'
export type {
  BackendObjectReference,
  BackendRef,
  HeaderModifier,
  ParentReference,
  PathModifier,
  RouteFilter,
  SessionPersistence,
  StringMatch,
} from './specs/route.ts'
export type { TrafficPolicySpec, TrafficTarget } from './specs/traffic-policy.ts'
export {
  type AccessPolicyResource,
  API_VERSION,
  type ExternalServiceResource,
  type GatewayResource,
  type GRPCRouteResource,
  type HTTPRouteResource,
  type JwtProviderResource,
  KINDS,
  type Kind,
  type MeshResource,
  type MeshSpec,
  type Metadata,
  type Resource,
  type ResourceInput,
  type ResourceInputOfKind,
  type ResourceOfKind,
  type ServicePort,
  type ServiceResource,
  type ServiceSpec,
  type SubscriptionResource,
  type SubscriptionSpec,
  type TopicResource,
  type TopicSchemaSpec,
  type TopicSpec,
  type TrafficPolicyResource,
  type WorkloadResource,
  type WorkloadSpec,
} from './types.ts'
export { type Validated, validateResource } from './validate.ts'
