/** HTTPRoute of gateway.networking.k8s.io/v1, as it is written and as it is completed. */
import type {
  BackendRef,
  BackendRefInput,
  ParentReference,
  ParentReferenceInput,
  PathModifier,
  RouteFilter,
  RouteFilterInput,
  SessionPersistence,
  SessionPersistenceInput,
  StringMatch,
  StringMatchInput,
} from './route.ts'

export interface HTTPPathMatch {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'
  readonly value: string
}

export interface HTTPRouteMatch {
  readonly path: HTTPPathMatch
  readonly headers: readonly StringMatch[]
  readonly queryParams: readonly StringMatch[]
  readonly method?: string
}

export interface RequestRedirect {
  readonly scheme?: 'http' | 'https'
  readonly hostname?: string
  readonly path?: PathModifier
  readonly port?: number
  readonly statusCode: number
}

export interface URLRewrite {
  readonly hostname?: string
  readonly path?: PathModifier
}

/** GEP-1767. `*` alone means any. */
export interface CORS {
  readonly allowOrigins: readonly string[]
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly allowCredentials: boolean
  /** Seconds. */
  readonly maxAge: number
}

type OnlyHTTPFilter =
  | { readonly type: 'RequestRedirect'; readonly requestRedirect: RequestRedirect }
  | { readonly type: 'URLRewrite'; readonly urlRewrite: URLRewrite }
  | { readonly type: 'CORS'; readonly cors: CORS }

export type HTTPRouteFilter = RouteFilter | OnlyHTTPFilter

export interface HTTPRouteRule {
  readonly name?: string
  readonly matches: readonly HTTPRouteMatch[]
  readonly filters: readonly HTTPRouteFilter[]
  readonly backendRefs: readonly BackendRef<HTTPRouteFilter>[]
  /** GEP-1742, with durations of GEP-2257. `0s` is no limit. */
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string }
  /** GEP-1731. */
  readonly retry?: {
    readonly codes: readonly number[]
    readonly attempts?: number
    readonly backoff?: string
  }
  readonly sessionPersistence?: SessionPersistence
}

export interface HTTPRouteSpec {
  readonly parentRefs: readonly ParentReference[]
  readonly hostnames: readonly string[]
  readonly rules: readonly HTTPRouteRule[]
}

export type HTTPRouteFilterInput =
  | RouteFilterInput
  | { readonly type: 'RequestRedirect'; readonly requestRedirect: Partial<RequestRedirect> }
  | { readonly type: 'URLRewrite'; readonly urlRewrite: URLRewrite }
  | { readonly type: 'CORS'; readonly cors: Partial<CORS> }

export interface HTTPRouteMatchInput {
  readonly path?: Partial<HTTPPathMatch>
  readonly headers?: readonly StringMatchInput[]
  readonly queryParams?: readonly StringMatchInput[]
  readonly method?: string
}

export interface HTTPRouteRuleInput {
  readonly name?: string
  readonly matches?: readonly HTTPRouteMatchInput[]
  readonly filters?: readonly HTTPRouteFilterInput[]
  readonly backendRefs?: readonly BackendRefInput<HTTPRouteFilterInput>[]
  readonly timeouts?: HTTPRouteRule['timeouts']
  readonly retry?: Partial<NonNullable<HTTPRouteRule['retry']>>
  readonly sessionPersistence?: SessionPersistenceInput
}

export interface HTTPRouteSpecInput {
  readonly parentRefs?: readonly ParentReferenceInput[]
  readonly hostnames?: readonly string[]
  readonly rules?: readonly HTTPRouteRuleInput[]
}
