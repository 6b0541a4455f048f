/** Gateway of the Gateway API v1: a subset of its fields, with their meaning there. */

export interface LocalReference {
  readonly name: string
}

export interface GatewayListenerTls {
  readonly mode: 'Terminate'
  readonly certificateRefs: readonly LocalReference[]
  /** GEP-91: callers prove a certificate. */
  readonly frontendValidation?: { readonly caCertificateRefs: readonly LocalReference[] }
}

export interface GatewayListenerSpec {
  readonly name: string
  readonly port: number
  readonly protocol: 'HTTP' | 'HTTPS'
  readonly hostname?: string
  readonly tls?: GatewayListenerTls
  readonly allowedRoutes: { readonly namespaces: { readonly from: 'Same' | 'All' } }
}

export interface GatewaySpec {
  readonly gatewayClassName: 'weft'
  readonly listeners: readonly GatewayListenerSpec[]
  /** `mesh.weft.dev/max-body-bytes`, `mesh.weft.dev/max-head-bytes`. */
  readonly infrastructure: { readonly annotations: Readonly<Record<string, string>> }
}

export interface GatewaySpecInput {
  readonly gatewayClassName: 'weft'
  readonly listeners: readonly (Omit<GatewayListenerSpec, 'tls' | 'allowedRoutes'> & {
    readonly tls?: Partial<GatewayListenerTls>
    readonly allowedRoutes?: { readonly namespaces?: { readonly from?: 'Same' | 'All' } }
  })[]
  readonly infrastructure?: { readonly annotations?: Readonly<Record<string, string>> }
}
