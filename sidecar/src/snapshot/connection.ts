import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { StatusObject } from '@grpc/grpc-js'
import { grpcDefinition } from '@weft/schemas/node/grpc-definition'
import { secureContext, type WorkloadIdentity } from '@weft/schemas/node/identity'
import {
  ConfigStream,
  type EdgeInit,
  type SidecarMessage,
  SidecarMessageSchema,
  type Update,
} from '@weft/schemas/proto'
import { controlPlaneClient } from '../identity/index.ts'

export interface ConnectionOptions {
  readonly controlPlane: string
  readonly identity: WorkloadIdentity
  readonly workload: string
  readonly softwareVersion: string
  /** Of the snapshot in use, 0 for none. */
  readonly version: number
}

export interface ConnectionEvents {
  /** The first one proves that the stream works; `ended` may come without any. */
  update(update: Update): void
  /** Once, whoever ended it. */
  ended(reason: string): void
}

/** One config stream on a connection of its own, made with one certificate. */
export interface Connection {
  readonly openedAtMs: number
  ack(version: bigint): void
  nack(version: bigint, reason: string): void
  /** Sends the counters if they are others than last time, and nothing is waiting to be sent. */
  report(edges: EdgeInit[]): void
  /** Ends it at once; resolves when `ended` has run. */
  close(): Promise<void>
}

const { stream: STREAM } = grpcDefinition(ConfigStream)
/** Connecting, handshake and the first snapshot; the keepalive watches after that. */
const FIRST_UPDATE_TIMEOUT_MS = 10_000
/** What the control plane takes of one report. */
const MAX_EDGES = 10_000

const messageOf = (
  message: NonNullable<MessageInitShape<typeof SidecarMessageSchema>['message']>,
): SidecarMessage => create(SidecarMessageSchema, { message })

export function openConnection(options: ConnectionOptions, events: ConnectionEvents): Connection {
  const { controlPlane, identity, workload, softwareVersion, version } = options
  const client = controlPlaneClient(controlPlane, secureContext(identity), identity.spiffeId.trustDomain)
  const call = client.makeBidiStreamRequest(STREAM.path, STREAM.requestSerialize, STREAM.responseDeserialize)
  const ended = Promise.withResolvers<void>()
  let lastReport: Buffer | undefined
  let isReporting = false

  const send = (message: SidecarMessage, sent?: () => void): void => {
    if (!call.writableEnded && !call.destroyed) call.write(message, sent)
  }
  const timeout = setTimeout(() => call.cancel(), FIRST_UPDATE_TIMEOUT_MS)

  call.on('data', (update: Update) => {
    clearTimeout(timeout)
    events.update(update)
  })
  // The same comes as a status, which comes without an error, too.
  call.on('error', () => undefined)
  call.once('status', ({ code, details }: StatusObject) => {
    clearTimeout(timeout)
    client.close()
    events.ended(details === '' ? `status ${code}` : details)
    ended.resolve()
  })
  send(messageOf({ case: 'hello', value: { workload, softwareVersion, version: BigInt(version) } }))

  return {
    openedAtMs: Date.now(),
    ack: (version) => send(messageOf({ case: 'ack', value: { version } })),
    nack: (version, reason) => send(messageOf({ case: 'nack', value: { version, reason } })),
    report: (edges) => {
      if (isReporting) return
      const message = messageOf({ case: 'report', value: { edges: edges.slice(0, MAX_EDGES) } })
      const bytes = STREAM.requestSerialize(message)
      if (lastReport?.equals(bytes) === true) return
      lastReport = bytes
      isReporting = true
      send(message, () => {
        isReporting = false
      })
    },
    close: () => {
      call.cancel()
      return ended.promise
    },
  }
}
