/** A Kafka client of single frames, for what no library would send or show. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type Api,
  decodeResponse,
  encodeRequest,
  responseBodyAt,
} from '../../../broker-bridge/src/wire/api.ts'
import { NO_TOPIC_ID } from '../../../broker-bridge/src/wire/codec.ts'
import { FrameSplitter } from '../../../broker-bridge/src/wire/frames.ts'
import { writeBatch } from '../../../broker-bridge/src/wire/write-batch.ts'

interface Waiting {
  readonly correlationId: number
  readonly resolve: (frame: Buffer) => void
  readonly reject: (error: Error) => void
}

export class RawClient {
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []
  readonly #frames = new FrameSplitter()
  #correlationId = 0
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const { reject } of this.#waiting) reject(new Error('closed without an answer'))
    })
    socket.on('data', (chunk: Buffer) => {
      this.#frames.push(chunk)
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next())
        this.#onFrame(frame)
    })
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  send<Request>(api: Api<Request, unknown>, version: number, message: Request): number {
    const correlationId = this.#correlationId++
    this.write(encodeRequest(api, { version, correlationId, clientId: 'raw', message }))
    return correlationId
  }

  async ask<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    message: Request,
  ): Promise<Response> {
    const frame = await this.next(this.send(api, version, message))
    return decodeResponse(api, frame, { version, bodyAt: responseBodyAt(frame, api, version) })
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause()
  }

  /** True as soon as all that was written has been taken, false where it was not within this time. */
  async takesMore(withinMs: number): Promise<boolean> {
    if (!this.#socket.writableNeedDrain) return true
    const signal = AbortSignal.timeout(withinMs)
    return once(this.#socket, 'drain', { signal }).then(
      () => true,
      () => false,
    )
  }

  /** The answer to the request that was sent last, as it comes. */
  next(correlationId = this.#correlationId - 1): Promise<Buffer> {
    return new Promise((resolve, reject) => this.#waiting.push({ correlationId, resolve, reject }))
  }

  #onFrame(frame: Buffer): void {
    const next = this.#waiting.shift()
    if (next === undefined) throw new Error('an answer that nobody asked for')
    if (frame.readInt32BE(4) === next.correlationId) next.resolve(frame)
    else next.reject(new Error(`answer ${frame.readInt32BE(4)} came before ${next.correlationId}`))
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

export const metadataRequest = (name: string) => ({
  topics: [{ name, topicId: Buffer.alloc(16), tags: [] }],
  allowAutoTopicCreation: true,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
  tags: [],
})

/** `records` for partition 0 of each topic. By name, so up to version 12. */
export const produceRequest = (topics: readonly string[], records: Buffer, acks = -1) => ({
  transactionalId: null,
  acks,
  timeoutMs: 5_000,
  topics: topics.map((name) => ({
    name,
    topicId: NO_TOPIC_ID,
    partitions: [{ index: 0, records, tags: [] }],
    tags: [],
  })),
  tags: [],
})

/** A batch of one record, from no producer. */
export const batchOf = (value: Buffer | string): Buffer =>
  writeBatch([{ value, headers: [] }], {
    producerId: -1n,
    producerEpoch: -1,
    baseSequence: -1,
    nowMs: Date.now(),
  })

/** A topic of which partition 0 is asked for from its beginning. */
export const fetchTopic = (name: string) => ({
  name,
  topicId: Buffer.alloc(16),
  partitions: [
    {
      index: 0,
      currentLeaderEpoch: -1,
      fetchOffset: 0n,
      lastFetchedEpoch: -1,
      logStartOffset: -1n,
      partitionMaxBytes: 1_000_000,
      tags: [],
    },
  ],
  tags: [],
})

export const fetchRequest = (name: string, session: { sessionId?: number; sessionEpoch?: number }) => ({
  replicaId: -1,
  maxWaitMs: 10,
  minBytes: 0,
  maxBytes: 1_000_000,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  ...session,
  topics: [fetchTopic(name)],
  forgottenTopics: [],
  rackId: '',
  tags: [],
})
