import type { ExternalSettings, OriginateTls } from '../../snapshot-external.ts'

export interface ExternalPort {
  /** What the app writes after the host. */
  readonly port: number
  /** Where the server listens. */
  readonly targetPort: number
  /** tcp: carried unread. */
  readonly protocol: 'http' | 'tcp'
  readonly tls?: OriginateTls
}

export interface ExternalEndpoint {
  readonly address: string
  /** The targetPort where absent. */
  readonly port?: number
}

/** A service outside of the mesh, by the names under which apps call it. */
export interface ExternalServiceSpec {
  readonly hosts: readonly string[]
  readonly ports: readonly ExternalPort[]
  readonly resolution: ExternalSettings['resolution']
  readonly endpoints: readonly ExternalEndpoint[]
}

export interface ExternalServiceSpecInput {
  readonly hosts: readonly string[]
  readonly ports?: readonly Partial<ExternalPort>[]
  readonly resolution?: ExternalSettings['resolution']
  readonly endpoints?: readonly ExternalEndpoint[]
}
