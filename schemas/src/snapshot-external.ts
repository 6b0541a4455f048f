/** The part of a snapshot that says what a service outside of the mesh is. */

/** Whom to believe, and what to show, when TLS begins at the sidecar. Files are those of its host, and are read again when they change. */
export interface OriginateTls {
  /** SNI, and the name that the server has to prove; the host that was asked for where absent. */
  readonly serverName?: string
  /** Authorities of the server; those of the system where absent. */
  readonly ca?: { readonly inline: string } | { readonly file: string }
  readonly clientCertificate?: { readonly certificateFile: string; readonly privateKeyFile: string }
}

/** What makes a service of a snapshot an external one: no sidecar answers at its endpoints, and no identity is proven there. */
export interface ExternalSettings {
  /** The ExternalService of which policies speak, in the namespace of the service; absent for a host that `egress: allowAll` lets through. */
  readonly name?: string
  /** dns: the address of an endpoint is a name. static: it is an IP address, which whoever wrote the resource vouches for. */
  readonly resolution: 'dns' | 'static'
  readonly tls?: OriginateTls
}
