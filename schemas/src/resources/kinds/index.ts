import { nearest } from '../nearest.ts'
import { KINDS, type Kind } from '../types.ts'
import { accessPolicy } from './access-policy.ts'
import type { JsonSchema, KindDefinition } from './definition.ts'
import { externalService } from './external-service.ts'
import { gateway } from './gateway.ts'
import { grpcRoute } from './grpc-route.ts'
import { httpRoute } from './http-route.ts'
import { jwtProvider } from './jwt-provider.ts'
import { mesh } from './mesh.ts'
import { service } from './service.ts'
import { subscription } from './subscription.ts'
import { topic } from './topic.ts'
import { trafficPolicy } from './traffic-policy.ts'
import { workload } from './workload.ts'

const DEFINITIONS: { readonly [K in Kind]: KindDefinition<K> } = {
  Service: service,
  Workload: workload,
  AccessPolicy: accessPolicy,
  TrafficPolicy: trafficPolicy,
  Topic: topic,
  Subscription: subscription,
  JwtProvider: jwtProvider,
  ExternalService: externalService,
  Gateway: gateway,
  Mesh: mesh,
  HTTPRoute: httpRoute,
  GRPCRoute: grpcRoute,
}

/** The definition of a kind by its exact name. */
export function definitionOf(kind: unknown): KindDefinition | undefined {
  return typeof kind === 'string' && Object.hasOwn(DEFINITIONS, kind)
    ? (DEFINITIONS[kind as Kind] as KindDefinition)
    : undefined
}

/** `accesspolicies`, `AccessPolicy`, `accesspolicy` → AccessPolicy; undefined for what is no kind. */
export function kindNamed(name: string): Kind | undefined {
  const wanted = name.toLowerCase()
  return KINDS.find((kind) => kind.toLowerCase() === wanted || DEFINITIONS[kind].plural === wanted)
}

/** The kind that a mistyped name most probably means. */
export const nearestKind = (name: string): string | undefined => nearest(name, KINDS)

/** The JSON Schema of each kind: what the reference documents are made of. */
export const RESOURCE_SCHEMAS = Object.fromEntries(KINDS.map((kind) => [kind, DEFINITIONS[kind].schema])) as {
  readonly [K in Kind]: JsonSchema
}
