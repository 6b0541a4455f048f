/**
 * An accepted HTTP/2 connection.
 *
 *   open ──drain, idle, certificate expired──▶ asked: GOAWAY with the highest number, PING
 *                                                │ its answer, or 1 s: what was under way has arrived
 *                                                ▼
 *                                              final: GOAWAY with the last stream ──no stream left──▶ ending
 *   a fault: GOAWAY with its code ──▶ ending (ending.ts)
 */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { Ending } from '../ending.ts'
import type { Fields, ResponseHead } from '../exchange.ts'
import type { ServerConnectionOptions } from '../http1/server-options.ts'
import { problemBody } from '../problem.ts'
import { Http2Connection } from './connection.ts'
import { MAX_CONCURRENT_STREAMS } from './limits.ts'
import { ConnectionError, ERROR_CODE, FRAME, MAX_STREAM_ID, SETTING } from './protocol.ts'
import { ServerStream } from './server-stream.ts'
import { writeStart } from './settings.ts'
import type { Http2Stream } from './stream.ts'

const DRAIN_PING = Buffer.from('weftgone', 'latin1')
/** For the answer to the PING before the last GOAWAY. */
const DRAIN_ANSWER_MS = 1_000

export class Http2ServerConnection extends Http2Connection {
  readonly #options: ServerConnectionOptions
  readonly #ending: Ending
  #lastStreamId = 0
  #phase: 'open' | 'asked' | 'final' = 'open'
  #askedAt = 0
  #idleSince = performance.now()

  constructor(socket: Socket, options: ServerConnectionOptions) {
    super(socket, options.limits, 'server')
    this.#options = options
    this.#ending = new Ending(socket)
    writeStart(this.output, [
      [SETTING.maxConcurrentStreams, MAX_CONCURRENT_STREAMS],
      [SETTING.maxHeaderListSize, options.limits.maxHeadBytes],
      [SETTING.enableConnectProtocol, 1],
    ])
    socket.on('end', () => this.#onSocketEnd())
  }

  /** No new requests; those in flight end in peace. */
  drain(): void {
    if (this.#phase !== 'open' || this.#ending.isBegun) return
    this.#phase = 'asked'
    this.#askedAt = performance.now()
    this.output.goAway(MAX_STREAM_ID, ERROR_CODE.none)
    this.output.ping(DRAIN_PING, false)
  }

  destroy(): void {
    this.#ending.destroy()
  }

  checkDeadline(now: number): void {
    if (this.#ending.isBegun) {
      this.#ending.checkDeadline(now)
      return
    }
    this.check(now, true)
    const { validUntil, limits } = this.#options
    const isExpired = validUntil !== undefined && now >= validUntil
    const isIdle = this.streams.size === 0 && now - this.#idleSince >= limits.idleTimeoutMs
    if (isExpired || isIdle) this.drain()
    if (this.#phase === 'asked' && now - this.#askedAt >= DRAIN_ANSWER_MS) this.#finishDrain()
  }

  #finishDrain(): void {
    this.#phase = 'final'
    this.output.goAway(this.#lastStreamId, ERROR_CODE.none)
    if (this.streams.size === 0) this.#end()
  }

  // From the reader

  override onPing(data: Buffer, isAnswer: boolean): void {
    if (isAnswer && this.#phase === 'asked' && data.equals(DRAIN_PING)) this.#finishDrain()
    else super.onPing(data, isAnswer)
  }

  override onReset(streamId: number, errorCode: number): void {
    this.guard.take('resets')
    super.onReset(streamId, errorCode)
  }

  override onGoAway(): void {} // the client opens no more streams, and closes when it is done

  protected override onMessage(streamId: number, isEnd: boolean): void {
    const stream = this.streams.get(streamId)
    if (stream !== undefined) {
      this.#onTrailers(stream, isEnd)
      return
    }
    if (streamId % 2 === 0) throw new ConnectionError(ERROR_CODE.protocol, 'expected streams of odd numbers')
    if (streamId <= this.#lastStreamId) {
      this.onStrayFrame(streamId, FRAME.headers)
      return
    }
    this.#lastStreamId = streamId
    this.#onRequest(streamId, isEnd)
  }

  #onRequest(streamId: number, isEnd: boolean): void {
    if (this.#phase === 'final' || this.streams.size >= MAX_CONCURRENT_STREAMS) {
      this.guard.take('streams beyond the limit')
      this.resetStream(new ServerStream(this, streamId, undefined), ERROR_CODE.refusedStream)
      return
    }
    try {
      const request = this.message.request(this.#options.peer, isEnd)
      const stream = new ServerStream(this, streamId, request)
      this.streams.add(stream)
      stream.begin(this.#options.service, request, isEnd)
    } catch (error) {
      this.#refuse(streamId, isEnd, MeshError.from(error))
    }
  }

  /** What is malformed gets no answer that could be taken for the app's (RFC 9113, section 8.1.1); the rest is told why. */
  #refuse(streamId: number, isEnd: boolean, error: MeshError): void {
    this.#options.onRejected(error)
    const stream = new ServerStream(this, streamId, undefined)
    if (error.code === 'invalid_request') {
      this.guard.take('malformed requests')
      this.resetStream(stream, ERROR_CODE.protocol)
      return
    }
    this.streams.add(stream)
    stream.isRemoteEnded = isEnd
    const body = Buffer.from(problemBody(error), 'latin1')
    stream.onHead({
      status: error.row.http,
      fields: ['content-type', 'application/problem+json'],
      length: body.length,
    })
    stream.onData(body)
    stream.onEnd(undefined)
  }

  #onTrailers(stream: Http2Stream, isEnd: boolean): void {
    if (stream.isRemoteEnded) {
      this.breakStream(stream, ERROR_CODE.streamClosed, 'expected no fields after the end')
      return
    }
    try {
      if (!isEnd) throw new MeshError('invalid_request', 'expected trailers to end the request')
      if (stream.endRemote(this.message.trailers())) return
      throw new MeshError('invalid_request', 'expected a body as long as Content-Length')
    } catch (error) {
      this.breakStream(stream, ERROR_CODE.protocol, MeshError.from(error).message)
    }
  }

  protected override onStrayFrame(streamId: number, type: number): void {
    if (streamId > this.#lastStreamId || streamId % 2 === 0)
      throw new ConnectionError(ERROR_CODE.protocol, 'expected frames of streams that were opened')
    if (this.wasReset(streamId)) return
    if (type === FRAME.headers)
      throw new ConnectionError(ERROR_CODE.streamClosed, 'expected no HEADERS on a stream that was closed')
    if (type === FRAME.data) {
      this.guard.take('DATA on closed streams')
      this.output.number(FRAME.rstStream, streamId, ERROR_CODE.streamClosed)
    }
  }

  // From streams

  /** The service would not even begin. Where that can be asked again, this says so for any method (RFC 9113, section 8.7). */
  rejectStream(stream: ServerStream, error: MeshError): void {
    this.#options.onRejected(error)
    this.resetStream(stream, error.row.retryable ? ERROR_CODE.refusedStream : ERROR_CODE.internal)
  }

  writeInterim(stream: ServerStream, status: number, fields: Fields): void {
    this.headers.interim(stream.id, status, fields)
  }

  writeResponse(stream: ServerStream, head: ResponseHead): void {
    stream.onHeadWritten(this.headers.response(stream.id, head))
  }

  onAnswered(): void {
    this.guard.reward()
  }

  protected override onStreamGone(): void {
    if (this.streams.size > 0) return
    this.#idleSince = this.now
    if (this.#phase === 'final') this.#end()
  }

  protected override onStill(stream: Http2Stream): void {
    if (stream instanceof ServerStream && stream.isAwaitingRequest)
      stream.cancel(new MeshError('request_timeout', 'expected more of the request body in time'))
  }

  protected override lastPeerStreamId(): number {
    return this.#lastStreamId
  }

  protected override onFault(error: MeshError): void {
    this.#options.onRejected(error)
  }

  protected override endAfterFault(): void {
    this.#end()
  }

  protected override onClosed(): void {
    this.#ending.destroy()
  }

  #onSocketEnd(): void {
    this.breakAll(new MeshError('upstream_reset', 'the caller closed its connection'))
    this.#end()
  }

  #end(): void {
    if (this.#ending.isBegun) return
    this.reader.stop()
    this.output.flush()
    this.#ending.begin(this.#options.limits.idleTimeoutMs)
  }
}
