import type { Log } from '@weft/schemas/node/log'
import type { SubscriptionResource } from '@weft/schemas/resources'
import type { Snapshot } from '@weft/schemas/snapshot'
import type { SpiffeId } from '@weft/schemas/spiffe'
import type { SnapshotProvider } from '../serve/grpc/index.ts'
import type { ResourceStore } from '../source/index.ts'
import { nothingRegistered, type SchemaLookup } from './topics.ts'
import { type MeshFacts, meshFacts, provenWorkload, snapshotOf } from './translate.ts'

export interface SnapshotProviderOptions {
  readonly store: Pick<ResourceStore, 'version' | 'resources' | 'onChange'>
  readonly trustDomain: string
  /** What the registry has of them; a change of it is a new version of the store. */
  readonly schemaOf?: SchemaLookup
  /** Subscriptions that are to stand still; a change of it is a new version of the store. */
  readonly isPaused?: (subscription: SubscriptionResource) => boolean
  readonly log: Log
}

/** What was made of one version of the resources. */
interface Made {
  readonly version: number
  readonly facts: MeshFacts
  readonly snapshots: Map<string, Snapshot>
}

/** Far more sidecars than one control plane has; bounds what callers with many made-up workload names can fill. */
const MAX_CACHED = 10_000

/** Snapshots from the store, each made once per version. */
export function createSnapshotProvider(options: SnapshotProviderOptions): SnapshotProvider {
  const { store, trustDomain, log, schemaOf = nothingRegistered, isPaused } = options
  let made: Made | undefined
  const warned = new Set<string>()

  function current(): Made {
    const version = store.version()
    if (made?.version !== version)
      made = {
        version,
        facts: meshFacts(store.resources(), trustDomain, schemaOf, isPaused),
        snapshots: new Map(),
      }
    return made
  }

  /** Once per sidecar until its workload is right: a new version must not repeat it. */
  function warnUnproven(facts: MeshFacts, identity: SpiffeId, workload: string): void {
    const key = `${identity.uri} ${workload}`
    if (provenWorkload(facts, { identity, workload }) !== undefined) {
      warned.delete(key)
      return
    }
    if (warned.has(key)) return
    if (warned.size >= MAX_CACHED) warned.clear()
    warned.add(key)
    log.warn(
      { identity: identity.uri, workload, namespace: identity.namespace },
      'no Workload of this name has this identity: the sidecar is told of no service of its own, and refuses inbound calls. Define the Workload, or correct its serviceAccount',
    )
  }

  return {
    snapshotFor: (identity, workload) => {
      const { version, facts, snapshots } = current()
      const key = `${identity.uri} ${workload}`
      const known = snapshots.get(key)
      if (known !== undefined) return known
      warnUnproven(facts, identity, workload)
      const snapshot = { version, ...snapshotOf(facts, { identity, workload }) }
      if (snapshots.size < MAX_CACHED) snapshots.set(key, snapshot)
      return snapshot
    },
    onChange: (listener) => store.onChange(listener),
  }
}
