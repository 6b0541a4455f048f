/**
 * Keeps the newest good snapshot, and a config stream to get the next one by.
 *
 *   candidate: a stream that is opening      active: the stream that has delivered
 *
 * A candidate becomes active with its first Update, and only then is the active one before it ended: a renewed
 * certificate brings a new stream without a moment in which a change could be missed. Whichever of the two ends,
 * another candidate follows after a backoff, for ever; the snapshot in use stays, whatever happens.
 *
 * Versions are compared with nothing: the newest Update of the newest stream is the truth, also when a control plane that was
 * restored from a backup counts from further back.
 */
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { EdgeInit, Update } from '@weft/schemas/proto'
import {
  type IndexedSnapshot,
  indexSnapshot,
  type Snapshot,
  type SnapshotSource,
} from '@weft/schemas/snapshot'
import { type Backoff, backoffMs } from '../identity/index.ts'
import { type Connection, openConnection } from './connection.ts'
import { readUpdate } from './read-update.ts'

export interface SnapshotsOptions {
  /** `host:port` of the control plane's gRPC. */
  readonly controlPlane: string
  readonly identity: IdentitySource
  /** Name of the Workload resource, in the namespace of the identity. */
  readonly workload: string
  readonly softwareVersion: string
  readonly log: Log
  readonly metrics: Metrics
  /** Asked each second for the counters since the start; what has changed is sent. */
  readonly report?: () => EdgeInit[] | Promise<EdgeInit[]>
  /** Gives up waiting for the first snapshot. */
  readonly signal?: AbortSignal
}

export interface RunningSnapshots extends SnapshotSource {
  /** A stream is open and has delivered. */
  readonly connected: boolean
  /** Ends the stream; the snapshot in use stays readable. */
  close(): Promise<void>
}

const RECONNECT_BACKOFF: Backoff = { baseMs: 100, maxMs: 5_000 }
/** A stream that lived this long worked: the next trouble is a new one. */
const STABLE_AFTER_MS = 10_000
const REPORT_INTERVAL_MS = 1_000

/** Resolves when the first valid snapshot is in use, however long that takes; rejects with the reason of `signal`. */
export async function startSnapshots(options: SnapshotsOptions): Promise<RunningSnapshots> {
  const snapshots = new Snapshots(options)
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(options.signal?.reason)
  options.signal?.addEventListener('abort', abort, { once: true })
  if (options.signal?.aborted === true) abort()
  try {
    await Promise.race([snapshots.first, aborted.promise])
    return snapshots
  } catch (error) {
    await snapshots.close()
    throw error
  } finally {
    options.signal?.removeEventListener('abort', abort)
  }
}

class Snapshots implements RunningSnapshots {
  readonly first: Promise<void>
  readonly #options: SnapshotsOptions
  readonly #listeners = new Set<(now: IndexedSnapshot) => void>()
  readonly #stopRotation: () => void
  readonly #reporting: NodeJS.Timeout | undefined
  readonly #resolveFirst: () => void
  #current: IndexedSnapshot | undefined
  #content = ''
  #active: Connection | undefined
  #candidate: Connection | undefined
  #retry: NodeJS.Timeout | undefined
  #attempt = 0

  constructor(options: SnapshotsOptions) {
    const first = Promise.withResolvers<void>()
    this.first = first.promise
    this.#resolveFirst = first.resolve
    this.#options = options
    this.#stopRotation = options.identity.onRotate(() => this.#connect())
    const { report } = options
    if (report !== undefined)
      this.#reporting = setInterval(() => void this.#report(report), REPORT_INTERVAL_MS)
    this.#showConnected()
    this.#connect()
  }

  get connected(): boolean {
    return this.#active !== undefined
  }

  current(): IndexedSnapshot {
    if (this.#current === undefined) throw new MeshError('unavailable', 'there is no snapshot yet')
    return this.#current
  }

  onChange(listener: (now: IndexedSnapshot) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#stopRotation()
    clearInterval(this.#reporting)
    clearTimeout(this.#retry)
    const open = [this.#active, this.#candidate].filter((connection) => connection !== undefined)
    this.#active = undefined
    this.#candidate = undefined
    this.#showConnected()
    await Promise.all(open.map((connection) => connection.close()))
  }

  /** Opens a candidate with the certificate of now; one that was opening with the one before is given up. */
  #connect(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    const before = this.#candidate
    const { controlPlane, workload, softwareVersion, identity } = this.#options
    const version = this.#current?.snapshot.version ?? 0
    const connection: Connection = openConnection(
      { controlPlane, workload, softwareVersion, version, identity: identity.current() },
      {
        update: (update) => this.#onUpdate(connection, update),
        ended: (reason) => this.#onEnded(connection, reason),
      },
    )
    this.#candidate = connection
    void before?.close()
  }

  #onUpdate(connection: Connection, update: Update): void {
    if (connection === this.#candidate) {
      const before = this.#active
      this.#active = connection
      this.#candidate = undefined
      this.#showConnected()
      void before?.close()
    }
    // What an ended stream had still on its way is older than what the new one has brought.
    if (connection !== this.#active) return
    const result = readUpdate(update, this.#options.identity.current().spiffeId.uri)
    if ('snapshot' in result) {
      this.#use(result.snapshot)
      connection.ack(update.version)
      return
    }
    const { faults } = result
    this.#options.log.error(
      { version: update.version, faults },
      'snapshot refused; the one before stays in use',
    )
    connection.nack(update.version, faults.join('\n'))
  }

  #use(snapshot: Snapshot): void {
    const { version, ...rest } = snapshot
    const content = JSON.stringify(rest)
    const isNew = content !== this.#content
    const now = indexSnapshot(snapshot)
    this.#content = content
    this.#current = now
    this.#options.metrics.gauge('weft_config_version').set(version)
    this.#resolveFirst()
    if (!isNew) return
    this.#options.log.info({ version }, 'snapshot in use')
    for (const listener of this.#listeners) {
      try {
        listener(now)
      } catch (error) {
        this.#options.log.error({ error }, 'a listener of the snapshot failed')
      }
    }
  }

  #onEnded(connection: Connection, reason: string): void {
    const wasActive = connection === this.#active
    if (wasActive) this.#active = undefined
    else if (connection === this.#candidate) this.#candidate = undefined
    else return
    this.#showConnected()
    if (Date.now() - connection.openedAtMs > STABLE_AFTER_MS) this.#attempt = 0
    const { controlPlane, log } = this.#options
    const what = wasActive ? 'config stream ended' : 'no config stream'
    if (this.#candidate !== undefined || this.#retry !== undefined) return
    const nextTryMs = Math.round(backoffMs(RECONNECT_BACKOFF, this.#attempt++))
    log.warn({ controlPlane, reason, nextTryMs }, `${what}: trying again; the last snapshot stays in use`)
    this.#retry = setTimeout(() => this.#connect(), nextTryMs)
  }

  async #report(report: NonNullable<SnapshotsOptions['report']>): Promise<void> {
    try {
      const edges = await report()
      this.#active?.report(edges)
    } catch (error) {
      this.#options.log.error({ error }, 'the counters could not be reported')
    }
  }

  #showConnected(): void {
    this.#options.metrics.gauge('weft_config_connected').set(this.#active === undefined ? 0 : 1)
  }
}
