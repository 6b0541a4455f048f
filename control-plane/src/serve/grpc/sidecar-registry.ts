import type { Log } from '@weft/schemas/node/log'
import type { SpiffeId } from '@weft/schemas/spiffe'

/** One connected sidecar, in the form of GET /api/v1/sidecars. Versions are 0 before the first. */
export interface SidecarStatus {
  readonly workload: string
  readonly namespace: string
  readonly identity: string
  /** ISO 8601. */
  readonly connectedSince: string
  readonly sentVersion: number
  readonly ackedVersion: number
  /** The snapshot that the sidecar refused last, until it takes a later one. */
  readonly nack?: { readonly version: number; readonly reason: string }
}

/** Who is connected, and what each of them has. */
export interface SidecarRegistry {
  /** By namespace and workload. One entry per workload and identity: that of its newest stream. */
  list(): readonly SidecarStatus[]
  /** Runs after each change; returns the function that ends it. */
  onChange(listener: () => void): () => void
}

/** The writing side, one per stream. */
export interface SidecarEntry {
  update(change: Pick<SidecarStatus, 'sentVersion'> | AckChange): void
  remove(): void
}
type AckChange = Pick<SidecarStatus, 'ackedVersion'> | { readonly nack: NonNullable<SidecarStatus['nack']> }

export function createSidecarRegistry(log: Log): SidecarRegistry & {
  add(identity: SpiffeId, workload: string): SidecarEntry
} {
  // In order of arrival: while a sidecar changes its certificate it has two streams, and the newer one counts.
  const entries = new Set<{ status: SidecarStatus }>()
  const listeners = new Set<() => void>()

  function changed(): void {
    for (const listener of listeners) {
      try {
        listener()
      } catch (error) {
        log.error({ error }, 'a listener of the sidecar registry failed')
      }
    }
  }

  function add(identity: SpiffeId, workload: string): SidecarEntry {
    const entry: { status: SidecarStatus } = {
      status: {
        workload,
        namespace: identity.namespace,
        identity: identity.uri,
        connectedSince: new Date().toISOString(),
        sentVersion: 0,
        ackedVersion: 0,
      },
    }
    entries.add(entry)
    changed()
    return {
      update: (change) => {
        const { nack, ...rest } = { ...entry.status, ...change }
        const settled = 'ackedVersion' in change
        entry.status = nack === undefined || settled ? rest : { ...rest, nack }
        changed()
      },
      remove: () => {
        if (entries.delete(entry)) changed()
      },
    }
  }

  return {
    add,
    list: () => {
      const newest = new Map(
        [...entries].map(({ status }) => [`${status.identity} ${status.workload}`, status]),
      )
      return [...newest.values()].sort((a, b) => order(a, b, 'namespace') || order(a, b, 'workload'))
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const order = (a: SidecarStatus, b: SidecarStatus, by: 'namespace' | 'workload'): number =>
  a[by] < b[by] ? -1 : a[by] > b[by] ? 1 : 0
