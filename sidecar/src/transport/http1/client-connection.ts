/**
 * A dialled HTTP/1.1 connection: one exchange at a time, no pipelining, and idle in a pool between two of them.
 * What comes while it is idle was asked for by nobody: the connection is closed, and never trusted to be in step again.
 */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import type { Fields, RequestHandler, RequestHead, ResponseHandler } from '../exchange.ts'
import { Output, type OutputOwner } from '../output.ts'
import type { ConnectionOwner, PooledConnection } from '../pooled-connection.ts'
import { onRead } from '../read-memory.ts'
import { ClientExchange } from './client-exchange.ts'
import type { HeadScanner } from './head-scanner.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { BODY, MessageReader, type MessageSink } from './message-reader.ts'
import { ResponseHeadReader } from './response-head.ts'

export class ClientConnection implements MessageSink, OutputOwner, PooledConnection {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly output: Output
  readonly #reader: MessageReader
  readonly #heads = new ResponseHeadReader()
  #exchange: ClientExchange | undefined
  #exchanges = 0
  #isAnswerWhole = false
  #trailers: Fields | undefined
  #isClosed = false
  #isRetired = false
  isReady = false
  idleSince = 0
  idleLimitMs = Number.POSITIVE_INFINITY

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket
    this.#owner = owner
    this.output = new Output(socket, this)
    this.#reader = new MessageReader('response', this, DEFAULT_LIMITS)
    onRead(socket, (chunk) => this.#onData(chunk))
    socket.on('end', () => this.#onSocketEnd())
    socket.on('error', (error) => this.#close(error))
    socket.on('close', () => this.#close(undefined))
  }

  get capacity(): number {
    return this.#exchange !== undefined || this.#isClosed || this.#isRetired ? 0 : 1
  }

  get isIdle(): boolean {
    return this.#exchange === undefined
  }

  call(head: RequestHead, response: ResponseHandler): RequestHandler {
    const exchange = new ClientExchange(this, head, response, this.#exchanges++ > 0)
    this.#exchange = exchange
    exchange.start()
    return exchange
  }

  /** As `call`: whether it is repeated says this connection, which was idle before or was not. */
  callAgain(head: RequestHead, response: ResponseHandler): RequestHandler {
    return this.call(head, response)
  }

  retire(): void {
    this.#isRetired = true
    if (this.isIdle) this.destroy()
  }

  destroy(): void {
    this.#close(undefined)
  }

  checkDeadline(): void {} // how long an answer may take is not the connection's to say

  // From the exchange

  resend(head: RequestHead, response: ResponseHandler): RequestHandler {
    return this.#owner.resend(head, response)
  }

  /** The caller has said all that it wanted to say in a tunnel. */
  endTunnel(): void {
    this.output.flush()
    this.#socket.end()
  }

  pauseAnswer(): void {
    this.#socket.pause()
  }

  resumeAnswer(): void {
    this.#socket.resume()
  }

  // From the socket

  #onData(chunk: Buffer): void {
    const exchange = this.#exchange
    if (exchange === undefined) {
      this.#close(undefined)
      return
    }
    exchange.isAnswering = true
    try {
      this.#reader.feed(chunk)
    } catch (error) {
      const { message } = MeshError.from(error)
      this.#fail(new MeshError('upstream_protocol', `the upstream's answer: ${message}`, { cause: error }))
      return
    }
    if (this.#isAnswerWhole) this.#onAnswerWhole()
  }

  #onSocketEnd(): void {
    this.#reader.finish()
    if (this.#isAnswerWhole) this.#onAnswerWhole()
    else this.#close(undefined)
  }

  #fail(error: MeshError): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#close(undefined)
    exchange?.fail(error)
  }

  #close(cause: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#reader.stop()
    this.#socket.destroy()
    this.#owner.onClosed(this)
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.fail(
      new MeshError('upstream_reset', 'the upstream closed the connection before its answer was whole', {
        cause,
      }),
    )
  }

  /** For the exchange: gives the connection up in the middle. */
  abort(): void {
    this.#exchange = undefined
    this.#close(undefined)
  }

  // From the reader

  onHead(scanner: HeadScanner, buffer: Buffer, from: number, to: number): number {
    const exchange = this.#exchange
    if (exchange === undefined) return 0
    const head = this.#heads.read(scanner, { buffer, from, to }, exchange.head)
    const { body } = this.#heads
    if (body === BODY.interim) exchange.response.onInterim(head.status, head.fields)
    else exchange.onHead(head)
    return body
  }

  onBody(chunk: Buffer): void {
    this.#exchange?.response.onData(chunk)
  }

  /** Acted upon when the reader has come back: what follows in the same read must never be taken for the next answer. */
  onMessageEnd(trailers: Fields | undefined): void {
    this.#isAnswerWhole = true
    this.#trailers = trailers
  }

  #onAnswerWhole(): void {
    const exchange = this.#exchange
    const trailers = this.#trailers
    this.#isAnswerWhole = false
    this.#trailers = undefined
    this.#exchange = undefined
    if (exchange === undefined) return
    exchange.isOver = true
    const { keepsAlive, keepAliveSeconds } = this.#heads
    const isInStep = keepsAlive && this.#reader.heldBytes === 0
    // A request that is not written whole yet would never be: its rest has nowhere to go.
    if (!isInStep || !exchange.isRequestEnded || this.#isRetired) this.#close(undefined)
    else {
      this.#reader.next()
      if (keepAliveSeconds !== undefined) this.idleLimitMs = keepAliveSeconds * 1000 - KEEP_ALIVE_MARGIN_MS
      if (this.#socket.isPaused()) this.#socket.resume()
      this.idleSince = performance.now()
      this.#owner.onAvailable(this)
    }
    exchange.response.onEnd(trailers)
  }

  // From the output

  onBlocked(): void {
    this.#exchange?.response.onPause()
  }

  onUnblocked(): void {
    this.#exchange?.response.onResume()
  }
}

/** An idle connection is given up before the server does it: a request and its FIN would cross on the way. */
const KEEP_ALIVE_MARGIN_MS = 1_000
