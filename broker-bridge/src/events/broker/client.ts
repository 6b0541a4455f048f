import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import type { WorkloadIdentity } from '@weft/schemas/node/identity'
import type { KafkaCluster } from '@weft/schemas/snapshot'
import { type BrokerAddress, connectBroker } from '../../connect-broker.ts'
import { API_VERSIONS } from '../../wire/18-api-versions.ts'
import { type Api, decodeResponse, encodeRequest, responseBodyAt } from '../../wire/api.ts'
import { FrameSplitter } from '../../wire/frames.ts'

export interface BrokerClientOptions {
  readonly address: BrokerAddress
  readonly security: KafkaCluster['security']
  readonly identity: WorkloadIdentity
  readonly clientId: string
  /** Runs when a connection that was open has ended, after every request in flight has been told. */
  readonly onClose: (closed: BrokerClient) => void
}

/** What the request's answer was, or why there is none. */
export type OnAnswer<Response> = (answer: Response | undefined, error: MeshError | undefined) => void

interface InFlight {
  readonly correlationId: number
  readonly sentAt: number
  readonly onFrame: (frame: Buffer | undefined, error: MeshError | undefined) => void
}

/** Above the time that a broker itself takes to give up an acks=all, below the patience of those who wait. */
const REQUEST_TIMEOUT_MS = 10_000

/**
 * One connection to one broker. Requests leave when they are made, answers come in the order of the requests (the protocol
 * says so). An answer that is late or out of step ends the connection, and with it every request in flight.
 */
export class BrokerClient {
  readonly #socket: Socket
  readonly #clientId: string
  readonly #splitter = new FrameSplitter()
  readonly #inFlight: InFlight[] = []
  readonly #timer: NodeJS.Timeout
  readonly #versions = new Map<number, number>()
  #correlationId = 0
  #isReady = false
  #isClosed = false

  private constructor(socket: Socket, options: BrokerClientOptions) {
    this.#socket = socket
    this.#clientId = options.clientId
    this.#timer = setTimeout(() => this.#checkDeadline(), REQUEST_TIMEOUT_MS)
    this.#timer.unref()
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => {
      this.#end(new MeshError('broker_unavailable', 'the connection to the broker was lost'))
      if (this.#isReady) options.onClose(this)
    })
  }

  /** Connects and learns what the broker speaks. Throws `connect_failed`, `peer_identity` or `broker_unavailable`. */
  static async open(options: BrokerClientOptions): Promise<BrokerClient> {
    const socket = await connectBroker(options.address, options.security, options.identity)
    const client = new BrokerClient(socket, options)
    // Version 0 is the one that every broker answers.
    const message = { clientSoftwareName: '', clientSoftwareVersion: '', tags: [] }
    const { apiKeys } = await client.ask(API_VERSIONS, message, { version: 0 })
    for (const { apiKey, maxVersion } of apiKeys) client.#versions.set(apiKey, maxVersion)
    client.#isReady = true
    return client
  }

  /** The newest version of an API that both sides know. */
  versionOf(api: Api): number {
    return Math.min(api.versions[1], this.#versions.get(api.key) ?? api.versions[0])
  }

  /** Sends one request; resolves with its answer. */
  ask<Request, Response>(
    api: Api<Request, Response>,
    message: Request,
    options: { readonly version?: number } = {},
  ): Promise<Response> {
    const version = options.version ?? this.versionOf(api)
    return new Promise((resolve, reject) => {
      this.send(api, {
        version,
        encode: (correlationId) => [
          encodeRequest(api, { version, correlationId, clientId: this.#clientId, message }),
        ],
        onAnswer: (answer, error) =>
          answer === undefined
            ? reject(error ?? new MeshError('broker_unavailable', 'no answer'))
            : resolve(answer),
      })
    })
  }

  /** Sends a request that the caller has encoded, in pieces. `onAnswer` runs exactly once, never before this returns. */
  send<Response>(
    api: Api<unknown, Response>,
    request: {
      readonly version: number
      readonly encode: (correlationId: number, clientId: string) => readonly Buffer[]
      readonly onAnswer: OnAnswer<Response>
    },
  ): void {
    const { version, onAnswer } = request
    const correlationId = this.#correlationId
    this.#correlationId = (correlationId + 1) & 0x7fff_ffff
    const sentAt = performance.now()
    this.#inFlight.push({
      correlationId,
      sentAt,
      onFrame: (frame, error) => {
        if (frame === undefined) onAnswer(undefined, error)
        else
          onAnswer(
            decodeResponse(api, frame, { version, bodyAt: responseBodyAt(frame, api, version) }),
            undefined,
          )
      },
    })
    if (this.#isClosed) {
      queueMicrotask(() => this.#end(new MeshError('broker_unavailable', 'the connection is closed')))
      return
    }
    const pieces = request.encode(correlationId, this.#clientId)
    this.#socket.cork()
    for (const piece of pieces) this.#socket.write(piece)
    this.#socket.uncork()
  }

  /** Ends the connection; requests in flight are told so. */
  close(): void {
    this.#socket.destroy()
  }

  #onData(chunk: Buffer): void {
    try {
      this.#splitter.push(chunk)
      for (let frame = this.#splitter.next(); frame !== undefined; frame = this.#splitter.next())
        this.#onFrame(frame)
    } catch {
      // Out of step: nothing that follows could be understood.
      this.#socket.destroy()
    }
  }

  #onFrame(frame: Buffer): void {
    const request = this.#inFlight.shift()
    if (request === undefined || frame.readInt32BE(4) !== request.correlationId) {
      if (request !== undefined) this.#inFlight.unshift(request)
      this.#socket.destroy()
      return
    }
    request.onFrame(frame, undefined)
  }

  /** One timer for the connection: it runs a little late for a request, never early. */
  #checkDeadline(): void {
    const oldest = this.#inFlight[0]
    if (oldest !== undefined && performance.now() - oldest.sentAt >= REQUEST_TIMEOUT_MS)
      this.#socket.destroy()
    else this.#timer.refresh()
  }

  #end(error: MeshError): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const request of this.#inFlight.splice(0)) request.onFrame(undefined, error)
  }
}
