/**
 * A dialled HTTP/2 connection: as many requests at once as the other side permits. It is given up in peace, its streams
 * to their ends, when the server says GOAWAY, its certificate was rotated, or it has carried so many resets that the other side
 * might take us for an attacker: what callers cancel is multiplexed onto this one connection.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import type { RequestHandler, RequestHead, ResponseHandler } from '../exchange.ts'
import { DEFAULT_LIMITS } from '../http1/limits.ts'
import type { ConnectionOwner, PooledConnection } from '../pooled-connection.ts'
import { WaitingExchange } from '../waiting-exchange.ts'
import { ClientStream } from './client-stream.ts'
import { Http2Connection } from './connection.ts'
import { ConnectionError, ERROR_CODE, MAX_STREAM_ID, SETTING } from './protocol.ts'
import { writeClientStart } from './settings.ts'
import type { Http2Stream } from './stream.ts'

/** Until SETTINGS has come (RFC 9113, section 6.5.2: no less than 100 is recommended). */
const ASSUMED_STREAMS = 100
/** Half of what the strictest of the common servers takes at once (flood-guard.ts; nghttp2: 1000). */
const MAX_RESETS = 250

export class Http2ClientConnection extends Http2Connection implements PooledConnection {
  readonly #owner: ConnectionOwner
  /** Beyond loopback: there a connection can die without a sign, and is asked for one. */
  readonly #isSecure: boolean
  #nextStreamId = 1
  #maxStreams = ASSUMED_STREAMS
  #resets = 0
  #isRetired = false
  /** Whether the other side takes an extended CONNECT; undefined before its SETTINGS have come. */
  #takesUpgrades: boolean | undefined
  /** Upgrades that came before. */
  readonly #upgrades = new Set<WaitingExchange>()
  isReady = false
  idleSince = performance.now()
  readonly idleLimitMs = Number.POSITIVE_INFINITY

  constructor(socket: Socket, owner: ConnectionOwner) {
    super(socket, DEFAULT_LIMITS, 'client')
    this.#owner = owner
    this.#isSecure = socket instanceof TLSSocket
    writeClientStart(this.output, [
      [SETTING.enablePush, 0],
      [SETTING.maxHeaderListSize, this.limits.maxHeadBytes],
    ])
    socket.on('end', () => this.#close(new MeshError('upstream_reset', 'the upstream closed the connection')))
  }

  get capacity(): number {
    if (this.isClosed || this.#isRetired) return 0
    return Math.max(0, this.#maxStreams - this.streams.size)
  }

  get isIdle(): boolean {
    return this.streams.size + this.#upgrades.size === 0
  }

  call(head: RequestHead, response: ResponseHandler): RequestHandler {
    return this.#open(head, response, false)
  }

  callAgain(head: RequestHead, response: ResponseHandler): RequestHandler {
    return this.#open(head, response, true)
  }

  #open(head: RequestHead, response: ResponseHandler, isRepeated: boolean): RequestHandler {
    if (head.upgrade !== undefined && this.#takesUpgrades !== true) return this.#whenSettled(head, response)
    const stream = new ClientStream(this, this.#nextStreamId, { head, response, isRepeated })
    this.#nextStreamId += 2
    // Numbers are not used twice: the next connection begins again.
    if (this.#nextStreamId > MAX_STREAM_ID) this.#isRetired = true
    this.streams.add(stream)
    stream.onHeadWritten(this.headers.request(stream.id, head, this.#isSecure ? 'https' : 'http'))
    return stream
  }

  /** RFC 8441, section 3: not before the other side has said that it knows what is meant. */
  #whenSettled(head: RequestHead, response: ResponseHandler): RequestHandler {
    if (this.#takesUpgrades === false)
      throw new MeshError(
        'not_implemented',
        `expected no Upgrade: the upstream, over HTTP/2, takes no ${head.upgrade}`,
      )
    const waiting = new WaitingExchange(
      { onWaitCancelled: (gone) => this.#upgrades.delete(gone) },
      head,
      response,
    )
    this.#upgrades.add(waiting)
    return waiting
  }

  retire(): void {
    this.#isRetired = true
    if (this.isIdle) this.destroy()
  }

  destroy(): void {
    this.#close(new MeshError('upstream_reset', 'the connection was closed here'))
  }

  checkDeadline(now: number): void {
    this.check(now, this.#isSecure)
  }

  #close(error: MeshError): void {
    if (this.isClosed) return
    this.isClosed = true
    this.reader.stop()
    this.output.goAway(0, ERROR_CODE.none)
    this.output.flush()
    this.socket.destroySoon()
    this.#owner.onClosed(this)
    this.breakAll(error)
    this.#failUpgrades(error)
  }

  #failUpgrades(error: MeshError): void {
    for (const waiting of this.#upgrades) waiting.fail(error)
    this.#upgrades.clear()
  }

  // From the reader

  protected override onMessage(streamId: number, isEnd: boolean): void {
    const stream = this.streams.get(streamId)
    if (stream === undefined) this.onStrayFrame(streamId)
    else if (stream.isRemoteEnded)
      this.breakStream(stream, ERROR_CODE.streamClosed, 'expected no fields after the end')
    else
      try {
        this.#onAnswer(stream as ClientStream, isEnd)
      } catch (error) {
        this.breakStream(stream, ERROR_CODE.protocol, MeshError.from(error).message)
      }
  }

  #onAnswer(stream: ClientStream, isEnd: boolean): void {
    const { message } = this
    if (stream.hasHead) {
      if (!isEnd) throw new MeshError('invalid_request', 'expected trailers to end the answer')
      if (!stream.endRemote(message.trailers())) throw shortBody()
      return
    }
    const head = message.response()
    if (head.status < 200) {
      if (isEnd) throw new MeshError('invalid_request', 'expected an answer after 1xx')
      stream.onInterim(head)
      return
    }
    stream.onHead(head)
    if (isEnd && !stream.isClosed && !stream.endRemote(undefined)) throw shortBody()
  }

  override onSettingsEnd(isAnswer: boolean): void {
    super.onSettingsEnd(isAnswer)
    if (isAnswer) return
    this.#takesUpgrades ??= false
    const waiting = [...this.#upgrades]
    this.#upgrades.clear()
    for (const upgrade of waiting) upgrade.attach(this)
  }

  override onSetting(id: number, value: number): void {
    if (id === SETTING.enableConnectProtocol) this.#takesUpgrades = value === 1
    if (id !== SETTING.maxConcurrentStreams) {
      super.onSetting(id, value)
      return
    }
    const before = this.capacity
    this.#maxStreams = value
    if (before === 0 && this.capacity > 0) this.#owner.onAvailable(this)
  }

  override onGoAway(lastStreamId: number, errorCode: number): void {
    this.#isRetired = true
    const error = new MeshError('upstream_reset', `the upstream says GOAWAY with code ${errorCode}`)
    for (const stream of this.streams.all()) {
      if (stream.id <= lastStreamId) continue
      this.drop(stream)
      stream.onBroken(error, ERROR_CODE.refusedStream)
    }
    if (this.isIdle) this.destroy()
  }

  /** What was under way when a stream ended is dropped. */
  protected override onStrayFrame(streamId: number): void {
    if (streamId >= this.#nextStreamId || streamId % 2 === 0)
      throw new ConnectionError(ERROR_CODE.protocol, 'expected frames of streams that were opened')
  }

  // From streams

  override resetStream(stream: Http2Stream, errorCode: number): void {
    if (!stream.isClosed && ++this.#resets >= MAX_RESETS) this.#isRetired = true
    super.resetStream(stream, errorCode)
  }

  resend(head: RequestHead, response: ResponseHandler): RequestHandler {
    return this.#owner.resend(head, response)
  }

  protected override onStreamGone(): void {
    if (this.isClosed) return
    if (this.isIdle) {
      this.idleSince = this.now
      if (this.#isRetired) this.destroy()
    }
    if (this.capacity === 1) this.#owner.onAvailable(this)
  }

  protected override onStill(): void {} // how long an answer may take is not the connection's to say

  protected override lastPeerStreamId(): number {
    return 0 // servers push nothing
  }

  protected override onFault(): void {} // its streams say it

  protected override endAfterFault(): void {
    this.destroy()
  }

  protected override onClosed(): void {
    this.#owner.onClosed(this)
    this.#failUpgrades(new MeshError('upstream_reset', 'the upstream closed the connection'))
  }
}

const shortBody = (): MeshError =>
  new MeshError('invalid_request', 'expected a body as long as Content-Length')
