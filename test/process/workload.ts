/** What a part of a sidecar is given when a test runs it without the sidecar: its snapshot and its identity. */
import type { IdentitySource } from '@weft/schemas/node/identity'
import {
  type IndexedSnapshot,
  indexSnapshot,
  type Snapshot,
  type SnapshotSource,
} from '@weft/schemas/snapshot'
import { spiffeId } from '@weft/schemas/spiffe'

const BILLING = spiffeId('weft.local', 'default', 'billing-service')

/** A snapshot of billing-service that a test changes as it goes: empty and closed but for what it is made with. */
export class Snapshots implements SnapshotSource {
  readonly #listeners = new Set<(now: IndexedSnapshot) => void>()
  #now: IndexedSnapshot

  constructor(part: Partial<Snapshot>) {
    this.#now = indexSnapshot({
      version: 1,
      trustDomain: BILLING.trustDomain,
      workload: { identity: BILLING.uri, namespace: BILLING.namespace },
      defaultAction: 'deny',
      samplingRatio: 0,
      services: [],
      policies: [],
      jwtProviders: [],
      topics: [],
      subscriptions: [],
      ...part,
    })
  }

  current(): IndexedSnapshot {
    return this.#now
  }

  onChange(listener: (now: IndexedSnapshot) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  change(part: Partial<Snapshot>): void {
    this.replace({ ...this.#now.snapshot, ...part })
  }

  replace(snapshot: Snapshot): void {
    this.#now = indexSnapshot({ ...snapshot, version: this.#now.snapshot.version + 1 })
    for (const listener of this.#listeners) listener(this.#now)
  }
}

/** The workload's identity where nothing checks it (plain text to the broker). */
export const someIdentity: IdentitySource = {
  current: () => ({
    spiffeId: BILLING,
    certificateChainPem: '',
    privateKeyPem: '',
    trustBundlePem: '',
    expiresAt: new Date(8e15),
  }),
  onRotate: () => () => {},
}
