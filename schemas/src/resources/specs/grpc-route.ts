/** GRPCRoute of gateway.networking.k8s.io/v1, as it is written and as it is completed. */
import type {
  BackendRef,
  BackendRefInput,
  ParentReference,
  ParentReferenceInput,
  RouteFilter,
  RouteFilterInput,
  SessionPersistence,
  SessionPersistenceInput,
  StringMatch,
  StringMatchInput,
} from './route.ts'

/** What is absent matches any. */
export interface GRPCMethodMatch {
  readonly type: 'Exact' | 'RegularExpression'
  readonly service?: string
  readonly method?: string
}

export interface GRPCRouteMatch {
  readonly method?: GRPCMethodMatch
  readonly headers: readonly StringMatch[]
}

export interface GRPCRouteRule {
  readonly name?: string
  readonly matches: readonly GRPCRouteMatch[]
  readonly filters: readonly RouteFilter[]
  readonly backendRefs: readonly BackendRef<RouteFilter>[]
  readonly sessionPersistence?: SessionPersistence
}

export interface GRPCRouteSpec {
  readonly parentRefs: readonly ParentReference[]
  readonly hostnames: readonly string[]
  readonly rules: readonly GRPCRouteRule[]
}

export interface GRPCRouteRuleInput {
  readonly name?: string
  readonly matches?: readonly {
    readonly method?: Partial<GRPCMethodMatch>
    readonly headers?: readonly StringMatchInput[]
  }[]
  readonly filters?: readonly RouteFilterInput[]
  readonly backendRefs?: readonly BackendRefInput<RouteFilterInput>[]
  readonly sessionPersistence?: SessionPersistenceInput
}

export interface GRPCRouteSpecInput {
  readonly parentRefs?: readonly ParentReferenceInput[]
  readonly hostnames?: readonly string[]
  readonly rules?: readonly GRPCRouteRuleInput[]
}
