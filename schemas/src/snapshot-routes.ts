/**
 * Routes as a sidecar follows them: HTTPRoute and GRPCRoute with references resolved, durations in milliseconds and
 * matches in order of precedence, so that the first that matches is the one that the Gateway API means.
 */

export interface PathMatch {
  /** PathPrefix goes by whole elements and has no slash at its end, but for `/`. */
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'
  readonly value: string
}

/** A header (name in lower case) or a query parameter. An expression has to match the whole value. */
export interface FieldMatch {
  readonly type: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}

export interface RouteMatch {
  /** Which of the rules of the table. */
  readonly rule: number
  /** Only below a Gateway: `shop.example` or `*.shop.example`; any host where absent. */
  readonly hostname?: string
  /** Only below a Service: one of its ports; any where absent. */
  readonly port?: number
  readonly path: PathMatch
  readonly method?: string
  readonly headers: readonly FieldMatch[]
  readonly queryParams: readonly FieldMatch[]
}

export interface HeaderModification {
  readonly set: readonly HeaderField[]
  readonly add: readonly HeaderField[]
  readonly remove: readonly string[]
}

interface HeaderField {
  readonly name: string
  readonly value: string
}

export type PathRewrite =
  | { readonly type: 'full'; readonly path: string }
  /** `prefix` is what matched. */
  | { readonly type: 'prefix'; readonly prefix: string; readonly replacement: string }

export interface Redirect {
  readonly status: number
  readonly scheme?: 'http' | 'https'
  readonly hostname?: string
  readonly port?: number
  readonly path?: PathRewrite
}

export interface Rewrite {
  readonly hostname?: string
  readonly path?: PathRewrite
}

export interface Mirror {
  /** `namespace/name` of a service of the snapshot. */
  readonly service: string
  /** Share of the requests, 0 to 1. */
  readonly share: number
}

export interface CorsSettings {
  readonly allowOrigins: readonly string[]
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly allowCredentials: boolean
  readonly maxAgeSeconds: number
}

/** What is done to a request and its answer; each part absent where no filter asks for it. */
export interface RouteFilters {
  readonly requestHeaders?: HeaderModification
  readonly responseHeaders?: HeaderModification
  readonly redirect?: Redirect
  readonly rewrite?: Rewrite
  readonly mirrors?: readonly Mirror[]
  readonly cors?: CorsSettings
}

export interface RouteBackend {
  /** `namespace/name` of a service of the snapshot; absent where what the route names is not there. */
  readonly service?: string
  /** What the route names, for people. */
  readonly name: string
  readonly weight: number
  readonly filters: RouteFilters
}

export interface RouteRetry {
  /** Answers that are tried again, whatever the method: who writes them down vouches for it. */
  readonly statusCodes: readonly number[]
  readonly attempts?: number
  /** Least pause before an attempt. */
  readonly backoffMs?: number
}

export interface RouteSession {
  readonly type: 'Cookie' | 'Header'
  /** Of the cookie or, in lower case, of the header. */
  readonly name: string
  /** Where the cookie is sent. */
  readonly path: string
  readonly isPermanent: boolean
  /** A session that is older begins anew; 0: it never does. */
  readonly maxAgeSeconds: number
}

export interface RouteRule {
  /** `HTTPRoute default/reviews rule 0`, for people. */
  readonly name: string
  readonly filters: RouteFilters
  readonly backends: readonly RouteBackend[]
  /** For the answer to begin, all attempts together; 0: no limit. Absent: what the service says. */
  readonly requestTimeoutMs?: number
  /** The same for each attempt. */
  readonly attemptTimeoutMs?: number
  readonly retry?: RouteRetry
  readonly session?: RouteSession
}

/** All routes of one parent together. */
export interface RouteTable {
  /** The routes that it was made of, for people: `HTTPRoute default/reviews`. */
  readonly routes: readonly string[]
  /** In order of precedence. */
  readonly matches: readonly RouteMatch[]
  readonly rules: readonly RouteRule[]
}
