/** What HTTPRoute and GRPCRoute of the Gateway API share, completed: every default of the specification is filled in. */

export const GATEWAY_GROUP = 'gateway.networking.k8s.io'
export const GATEWAY_API_VERSION = 'gateway.networking.k8s.io/v1'

/** What a route attaches to: a Service (group `""`, GEP-1294) or a Gateway. */
export interface ParentReference {
  readonly group: '' | typeof GATEWAY_GROUP
  readonly kind: 'Service' | 'Gateway'
  readonly namespace: string
  readonly name: string
  /** Name of a port of the Service, or of a listener of the Gateway. */
  readonly sectionName?: string
  readonly port?: number
}

export interface BackendObjectReference {
  readonly group: ''
  readonly kind: 'Service'
  readonly namespace: string
  readonly name: string
  readonly port: number
}

export interface BackendRef<Filter> extends BackendObjectReference {
  /** Share of the requests: this over the sum of all weights of the rule. */
  readonly weight: number
  readonly filters: readonly Filter[]
}

export interface StringMatch {
  readonly type: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}

export interface HeaderValue {
  readonly name: string
  readonly value: string
}

export interface HeaderModifier {
  readonly set: readonly HeaderValue[]
  readonly add: readonly HeaderValue[]
  readonly remove: readonly string[]
}

export type PathModifier =
  | { readonly type: 'ReplaceFullPath'; readonly replaceFullPath: string }
  | { readonly type: 'ReplacePrefixMatch'; readonly replacePrefixMatch: string }

export interface RequestMirror {
  readonly backendRef: BackendObjectReference
  readonly percent?: number
  readonly fraction?: { readonly numerator: number; readonly denominator: number }
}

/** The filters that both kinds of route know. */
export type RouteFilter =
  | { readonly type: 'RequestHeaderModifier'; readonly requestHeaderModifier: HeaderModifier }
  | { readonly type: 'ResponseHeaderModifier'; readonly responseHeaderModifier: HeaderModifier }
  | { readonly type: 'RequestMirror'; readonly requestMirror: RequestMirror }

/** GEP-1619. Durations are those of GEP-2257: `1h30m`, `500ms`. */
export interface SessionPersistence {
  readonly type: 'Cookie' | 'Header'
  readonly absoluteTimeout?: string
  readonly cookie?: {
    readonly name?: string
    readonly path: string
    readonly lifetimeType: 'Session' | 'Permanent'
  }
  readonly header?: { readonly name: string }
}

type Optional<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>

export type ParentReferenceInput = Optional<ParentReference, 'group' | 'kind' | 'namespace'>
export type BackendObjectReferenceInput = Optional<BackendObjectReference, 'group' | 'kind' | 'namespace'>
export type BackendRefInput<Filter> = BackendObjectReferenceInput & {
  readonly weight?: number
  readonly filters?: readonly Filter[]
}
export type StringMatchInput = Optional<StringMatch, 'type'>

export type RouteFilterInput =
  | { readonly type: 'RequestHeaderModifier'; readonly requestHeaderModifier: Partial<HeaderModifier> }
  | { readonly type: 'ResponseHeaderModifier'; readonly responseHeaderModifier: Partial<HeaderModifier> }
  | { readonly type: 'RequestMirror'; readonly requestMirror: RequestMirrorInput }

export interface RequestMirrorInput {
  readonly backendRef: BackendObjectReferenceInput
  readonly percent?: number
  readonly fraction?: { readonly numerator: number; readonly denominator?: number }
}

export interface SessionPersistenceInput {
  readonly type?: SessionPersistence['type']
  readonly absoluteTimeout?: string
  readonly cookie?: Partial<NonNullable<SessionPersistence['cookie']>>
  readonly header?: { readonly name: string }
}
