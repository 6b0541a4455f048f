/**
 * One config stream.
 *
 *   opened ──Hello──▶ serving ──▶ ended: by the client, by its certificate's end, by what it sent, by stop
 *      └─ no Hello in time ─────▶ ended
 *
 * While serving there is at most one Update on its way: `push` during a write only marks that there is something newer,
 * and when the write is done (the client's flow-control window has taken it) the snapshot of that moment is sent. A slow
 * reader therefore costs one snapshot of memory, and skips versions instead of lagging behind.
 */
import { createHash } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import { type Edge, type SidecarMessage, type Update, UpdateSchema } from '@weft/schemas/proto'
import type { Snapshot } from '@weft/schemas/snapshot'
import type { SpiffeId } from '@weft/schemas/spiffe'
import type { Peer } from './peer.ts'
import { faultOfReport } from './report.ts'
import type { createSidecarRegistry, SidecarEntry } from './sidecar-registry.ts'
import { toStatus } from './status.ts'

/** Where snapshots come from. */
export interface SnapshotProvider {
  /**
   * What this workload is to know now. Throws a MeshError (`not_found`, `permission_denied`) where there is no such
   * workload or it is not this identity's: a new stream ends with it, an open one keeps what it has. Its versions must only
   * grow, over restarts too, for people's sake; sidecars take whatever the control plane says.
   */
  snapshotFor(identity: SpiffeId, workload: string): Snapshot
  /** Runs when any snapshot may be another one; returns the function that ends it. */
  onChange(listener: () => void): () => void
}

/** Counters of a sidecar since it started. The names in the edges are its claim, the identity is proven. */
export type OnReport = (identity: SpiffeId, workload: string, edges: Edge[]) => void

export interface StreamOptions {
  readonly snapshots: SnapshotProvider
  readonly registry: ReturnType<typeof createSidecarRegistry>
  readonly onReport: OnReport
  readonly helloTimeoutMs: number
  readonly log: Log
}

type Call = ServerDuplexStream<SidecarMessage, Update>
interface Serving {
  readonly workload: string
  readonly entry: SidecarEntry
}
type Body = SidecarMessage['message']
/** Longest delay that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1
const MAX_REASON_LENGTH = 4096
const WORKLOAD = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

export class SidecarStream {
  readonly #call: Call
  readonly #peer: Peer
  readonly #options: StreamOptions
  readonly #log: Log
  readonly #hello: NodeJS.Timeout
  #serving: Serving | undefined
  #sentVersion = 0
  #sentContent: string | undefined
  #isWriting = false
  #isStale = false
  #hasBadReport = false

  constructor(call: Call, peer: Peer, options: StreamOptions) {
    this.#call = call
    this.#peer = peer
    this.#options = options
    this.#log = options.log.child({ identity: peer.identity.uri })
    this.#hello = setTimeout(() => {
      this.end(new MeshError('request_timeout', `expected a Hello within ${options.helloTimeoutMs} ms`))
    }, options.helloTimeoutMs)
    const certificateEnd = setTimeout(
      () =>
        this.end(new MeshError('unauthenticated', 'the certificate has ended: connect with the renewed one')),
      Math.min(peer.expiresAt.getTime() - Date.now(), MAX_TIMER_MS),
    )
    call.on('data', (message: SidecarMessage) => this.#receive(message.message))
    call.on('end', () => call.end())
    call.once('close', () => {
      clearTimeout(this.#hello)
      clearTimeout(certificateEnd)
      this.#serving?.entry.remove()
      if (this.#serving !== undefined)
        this.#log.info({ workload: this.#serving.workload }, 'sidecar disconnected')
    })
  }

  /** Sends the snapshot if it differs in content from the one sent last. */
  push(): void {
    if (this.#serving === undefined || this.#call.writableEnded || this.#call.destroyed) return
    if (this.#isWriting) {
      this.#isStale = true
      return
    }
    const { workload, entry } = this.#serving
    try {
      this.#send(this.#options.snapshots.snapshotFor(this.#peer.identity, workload), entry)
    } catch (error) {
      if (this.#sentContent === undefined) this.end(error)
      else this.#log.warn({ workload, error }, 'no newer snapshot; the sidecar keeps the one it has')
    }
  }

  /** Ends the stream with the status of this error, after what is being written. */
  end(reason: unknown): void {
    if (!this.#call.writableEnded) this.#call.emit('error', toStatus(reason, this.#log))
  }

  #send(snapshot: Snapshot, entry: SidecarEntry): void {
    const content = contentOf(snapshot)
    if (content === this.#sentContent) return
    const snapshotJson = Buffer.from(JSON.stringify(snapshot))
    const update = create(UpdateSchema, { version: BigInt(snapshot.version), snapshotJson })
    this.#sentContent = content
    this.#sentVersion = snapshot.version
    this.#isWriting = true
    this.#call.write(update, () => {
      this.#isWriting = false
      if (!this.#isStale) return
      this.#isStale = false
      this.push()
    })
    entry.update({ sentVersion: snapshot.version })
  }

  #receive(body: Body): void {
    if (this.#call.writableEnded) return
    try {
      if (body.case === 'hello') this.#takeHello(body.value)
      else if (this.#serving === undefined || body.case === undefined)
        throw protocolFault('a Hello first, then Ack, Nack or Report', body.case ?? 'an empty message')
      else if (body.case === 'report') this.#takeReport(this.#serving.workload, body.value.edges)
      else this.#takeAnswer(this.#serving, body)
    } catch (error) {
      this.end(error)
    }
  }

  #takeHello({ workload, softwareVersion, version }: Extract<Body, { case: 'hello' }>['value']): void {
    if (this.#serving !== undefined) throw protocolFault('one Hello', 'a second one')
    if (!WORKLOAD.test(workload)) throw protocolFault('the name of a Workload', JSON.stringify(workload))
    clearTimeout(this.#hello)
    this.#serving = { workload, entry: this.#options.registry.add(this.#peer.identity, workload) }
    const had = Number(version)
    this.#log.info({ workload, had, softwareVersion: softwareVersion.slice(0, 64) }, 'sidecar connected')
    this.push()
  }

  #takeAnswer({ workload, entry }: Serving, body: Extract<Body, { case: 'ack' | 'nack' }>): void {
    const version = Number(body.value.version)
    if (version < 1 || version > this.#sentVersion)
      throw protocolFault(
        `a version that was sent (up to ${this.#sentVersion})`,
        `${body.case} of ${version}`,
      )
    if (body.case === 'ack') {
      entry.update({ ackedVersion: version })
      return
    }
    const reason = body.value.reason.slice(0, MAX_REASON_LENGTH)
    this.#log.warn({ workload, version, reason }, 'the sidecar refused a snapshot and keeps the one before')
    entry.update({ nack: { version, reason } })
  }

  /** Configuration matters more than counters: a bad report is dropped, the stream stays. */
  #takeReport(workload: string, edges: Edge[]): void {
    const fault = faultOfReport(edges)
    if (fault === undefined) {
      try {
        this.#options.onReport(this.#peer.identity, workload, edges)
      } catch (error) {
        this.#log.error({ workload, error }, 'a report could not be taken')
      }
      return
    }
    if (!this.#hasBadReport) this.#log.warn({ workload, fault }, 'reports of this sidecar are dropped')
    this.#hasBadReport = true
  }
}

/** Everything but the version: a change elsewhere in the mesh gives a new version, and is none to this sidecar. */
function contentOf({ version: _, ...content }: Snapshot): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64')
}

const protocolFault = (expected: string, came: string): MeshError =>
  new MeshError('invalid_request', `config stream: expected ${expected}, came ${came.slice(0, 300)}`)
