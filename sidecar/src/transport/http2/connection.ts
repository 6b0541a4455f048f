/**
 * What both ends of an HTTP/2 connection do alike: frames to streams, flow control, settings, PING, and the end after a fault.
 * Accepted: server-connection.ts. Dialled: client-connection.ts.
 */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import type { Fields } from '../exchange.ts'
import type { OutputOwner } from '../output.ts'
import { onRead } from '../read-memory.ts'
import { FloodGuard } from './flood-guard.ts'
import { FrameOutput } from './frame-output.ts'
import { type DataSlice, FrameReader, type FrameSink, type HeaderBlock } from './frame-reader.ts'
import { HeaderWriter } from './header-writer.ts'
import { HpackDecoder } from './hpack/decoder.ts'
import { Keepalive } from './keepalive.ts'
import type { Http2Limits } from './limits.ts'
import { MessageFields } from './message-fields.ts'
import {
  ConnectionError,
  DEFAULT_WINDOW_BYTES,
  ERROR_CODE,
  FLAG,
  FRAME,
  MAX_WINDOW_BYTES,
  SETTING,
} from './protocol.ts'
import { ReceiveWindow } from './receive-window.ts'
import { RecentResets } from './recent-resets.ts'
import { checkSetting } from './settings.ts'
import type { Http2Stream } from './stream.ts'
import { StreamTable } from './stream-table.ts'

/** Streams that stand still, and the allowance for floods, are looked at this often. */
const CHECK_INTERVAL_MS = 1_000
const KEEPALIVE_DATA = Buffer.from('weftping', 'latin1')

export abstract class Http2Connection implements FrameSink, OutputOwner {
  protected readonly socket: Socket
  protected readonly limits: Http2Limits
  readonly output: FrameOutput
  protected readonly reader: FrameReader
  protected readonly headers: HeaderWriter
  protected readonly message: MessageFields
  protected readonly guard = new FloodGuard()
  protected readonly streams = new StreamTable<Http2Stream>()
  /** Streams with bytes that a window or the socket holds back. */
  readonly waiting = new Set<Http2Stream>()
  readonly #decoder = new HpackDecoder()
  readonly #keepalive = new Keepalive()
  readonly #resets = new RecentResets()
  readonly receiving: ReceiveWindow
  sendWindow = DEFAULT_WINDOW_BYTES
  peerWindowBytes = DEFAULT_WINDOW_BYTES
  protected isClosed = false
  /** The time, as exactly as deadlines need it: asking for it with each frame would cost more than the frame. */
  now = performance.now()
  #checkedAt = this.now

  constructor(socket: Socket, limits: Http2Limits, role: 'server' | 'client') {
    this.socket = socket
    this.limits = limits
    this.output = new FrameOutput(socket, this)
    this.reader = new FrameReader(this, role)
    this.headers = new HeaderWriter(this.output)
    this.receiving = new ReceiveWindow(this.output)
    this.message = new MessageFields(limits)
    onRead(socket, (chunk) => this.#onData(chunk))
    socket.on('error', () => {}) // 'close' follows, and says enough
    socket.on('close', () => this.#onClose())
    socket.resume()
  }

  /** A message came: `message` holds its fields. */
  protected abstract onMessage(streamId: number, isEnd: boolean): void
  /** A frame of a stream that is not there (any more). Throws ConnectionError where there never was one. */
  protected abstract onStrayFrame(streamId: number, type: number): void
  protected abstract onStreamGone(): void
  /** Nothing has moved on this stream for as long as a connection may be idle, and nothing holds it back. */
  protected abstract onStill(stream: Http2Stream): void
  protected abstract lastPeerStreamId(): number
  /** GOAWAY has been written; the connection is to end. */
  protected abstract endAfterFault(): void
  abstract onGoAway(lastStreamId: number, errorCode: number): void

  /** Called some times a second: cheaper than timers for each stream. */
  protected check(now: number, asksForLife: boolean): void {
    this.now = now
    if (now - this.#checkedAt < CHECK_INTERVAL_MS || this.isClosed) return
    this.guard.refill(now - this.#checkedAt)
    this.#checkedAt = now
    const life = asksForLife ? this.#keepalive.check(now, this.streams.size > 0) : 'nothing'
    if (life === 'ask') this.output.ping(KEEPALIVE_DATA, false)
    else if (life === 'giveUp') this.socket.destroy()
    if (this.streams.size === 0) {
      this.streams.clear()
      this.output.release()
    }
    for (const stream of this.streams.all()) {
      if (now - stream.movedAt <= this.limits.idleTimeoutMs) continue
      if (stream.isQueued)
        this.breakStream(stream, ERROR_CODE.cancel, 'expected the other side to take what is sent to it')
      else this.onStill(stream)
    }
  }

  // From the socket

  #onData(chunk: Buffer): void {
    this.#keepalive.heard(this.now)
    try {
      this.reader.feed(chunk)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    const known = error instanceof ConnectionError ? error : undefined
    this.reader.stop()
    this.output.goAway(this.lastPeerStreamId(), known?.errorCode ?? ERROR_CODE.internal)
    this.onFault(MeshError.from(error))
    this.breakAll(MeshError.from(error))
    this.endAfterFault()
  }

  /** For the log and the counters. */
  protected abstract onFault(error: MeshError): void

  #onClose(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.reader.stop()
    this.breakAll(new MeshError('upstream_reset', 'the connection was closed'))
    this.onClosed()
  }

  protected abstract onClosed(): void

  protected breakAll(error: MeshError): void {
    const streams = this.streams.all()
    this.streams.clear()
    this.waiting.clear()
    for (const stream of streams) {
      stream.close()
      stream.onBroken(error, ERROR_CODE.internal)
    }
  }

  // From the reader

  onData(streamId: number, slice: DataSlice): void {
    const { size, buffer, from, to, isEnd } = slice
    this.receiving.take(size)
    const stream = this.streams.get(streamId)
    if (stream === undefined) {
      this.onStrayFrame(streamId, FRAME.data)
      return
    }
    if (stream.isRemoteEnded)
      this.breakStream(stream, ERROR_CODE.streamClosed, 'expected no DATA after the end')
    else if (!stream.take(size))
      this.breakStream(stream, ERROR_CODE.flowControl, 'expected no more than the window of the stream')
    else {
      const isWhole = from === 0 && to === buffer.length
      const chunk = from === to ? undefined : isWhole ? buffer : buffer.subarray(from, to)
      const isFit = stream.receive(chunk, size) && (!isEnd || stream.isClosed || stream.endRemote(undefined))
      if (!isFit && !stream.isClosed)
        this.breakStream(stream, ERROR_CODE.protocol, 'expected a body as long as Content-Length')
    }
  }

  onHeaders(streamId: number, { buffer, from, to, isEnd }: HeaderBlock): void {
    this.message.begin()
    // Whatever becomes of the stream: the table of the connection has to stay in step.
    this.#decoder.decode(buffer, from, to, this.message)
    this.onMessage(streamId, isEnd)
  }

  onReset(streamId: number, errorCode: number): void {
    const stream = this.streams.get(streamId)
    if (stream === undefined) {
      this.onStrayFrame(streamId, FRAME.rstStream)
      return
    }
    this.drop(stream)
    stream.onBroken(
      new MeshError('upstream_reset', `the other side reset the stream with code ${errorCode}`),
      errorCode,
    )
  }

  onSetting(id: number, value: number): void {
    if (id === SETTING.headerTableSize) this.headers.encoder.limitTable(value)
    checkSetting(id, value)
    if (id !== SETTING.initialWindowSize) return
    const difference = value - this.peerWindowBytes
    this.peerWindowBytes = value
    for (const stream of this.streams.all()) {
      stream.sendWindow += difference
      if (stream.sendWindow > MAX_WINDOW_BYTES) throw tooLargeWindow()
    }
    if (difference > 0) this.#resumeWaiting()
  }

  onSettingsEnd(isAnswer: boolean): void {
    if (isAnswer) return
    this.guard.take('SETTINGS')
    this.output.frameHead(0, FRAME.settings, FLAG.ack, 0)
  }

  onPing(data: Buffer, isAnswer: boolean): void {
    if (isAnswer) return
    this.guard.take('PINGs')
    this.output.ping(data, true)
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      if (increment === 0)
        throw new ConnectionError(ERROR_CODE.protocol, 'expected WINDOW_UPDATE of 1 or more')
      this.sendWindow += increment
      if (this.sendWindow > MAX_WINDOW_BYTES) throw tooLargeWindow()
      this.#resumeWaiting()
      return
    }
    const stream = this.streams.get(streamId)
    if (stream === undefined) {
      this.onStrayFrame(streamId, FRAME.windowUpdate)
      return
    }
    stream.sendWindow += increment
    if (increment === 0) this.breakStream(stream, ERROR_CODE.protocol, 'expected WINDOW_UPDATE of 1 or more')
    else if (stream.sendWindow > MAX_WINDOW_BYTES)
      this.breakStream(stream, ERROR_CODE.flowControl, 'expected windows within their range')
    else stream.resumeSending()
  }

  onIdleFrame(): void {
    this.guard.take('frames that say nothing')
  }

  // From streams

  writeTrailers(stream: Http2Stream, trailers: Fields): void {
    this.headers.trailers(stream.id, trailers)
  }

  resetStream(stream: Http2Stream, errorCode: number): void {
    if (stream.isClosed) return
    this.output.number(FRAME.rstStream, stream.id, errorCode)
    this.#resets.add(stream.id)
    this.drop(stream)
  }

  /** Late frames of such a stream were under way when it was reset: they are no fault of the other side. */
  protected wasReset(streamId: number): boolean {
    return this.#resets.has(streamId)
  }

  /** Both sides have ended, or one has reset it. */
  forget(stream: Http2Stream): void {
    this.drop(stream)
  }

  /** Resets a stream for a fault of the other side, and tells whoever waits for it here. */
  protected breakStream(stream: Http2Stream, errorCode: number, message: string): void {
    this.resetStream(stream, errorCode)
    stream.onBroken(new MeshError('invalid_request', message), errorCode)
  }

  protected drop(stream: Http2Stream): void {
    this.streams.delete(stream.id)
    this.waiting.delete(stream)
    stream.close()
    this.onStreamGone()
  }

  // From the output

  onBlocked(): void {} // streams find out when they write

  onUnblocked(): void {
    this.#resumeWaiting()
  }

  /** Each in its turn, so that a long body does not keep a short one from the window. */
  #resumeWaiting(): void {
    for (const stream of [...this.waiting]) {
      if (this.output.isBlocked || this.sendWindow <= 0) return
      stream.resumeSending()
      if (!this.waiting.delete(stream)) continue
      this.waiting.add(stream)
    }
  }
}

const tooLargeWindow = (): ConnectionError =>
  new ConnectionError(ERROR_CODE.flowControl, 'expected windows within their range')
