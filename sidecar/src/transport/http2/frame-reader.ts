/**
 * Reads frames out of what a socket delivers, in pieces of any size (RFC 9113, sections 4 and 6). Payloads are read where they
 * lie: only a frame that two reads share is put together, and DATA is handed on as it comes, before its frame is whole.
 * What does not depend on the state of a stream is checked here: sizes, paddings, numbers of streams, header blocks in one piece.
 */
import {
  checkDependency,
  checkFrame,
  type Frame,
  NOT_RESERVED,
  PRIORITY_BYTES,
  paddingOf,
  protocolError,
  SETTING_BYTES,
  sizeError,
} from './frame-checks.ts'
import { MAX_BLOCK_BYTES, MAX_CONTINUATIONS, MAX_RECEIVED_FRAME_BYTES } from './limits.ts'
import { ConnectionError, ERROR_CODE, FLAG, FRAME, FRAME_HEAD_BYTES, PREFACE } from './protocol.ts'

/** Throws ConnectionError for what ends the connection. */
export interface FrameSink {
  /** Bytes of the body of a stream. `size` is what windows count: padding is part of it. `isEnd`: nothing follows. */
  onData(streamId: number, bytes: DataSlice): void
  /** A whole header block. */
  onHeaders(streamId: number, block: HeaderBlock): void
  onReset(streamId: number, errorCode: number): void
  onSetting(id: number, value: number): void
  onSettingsEnd(isAnswer: boolean): void
  onPing(data: Buffer, isAnswer: boolean): void
  onGoAway(lastStreamId: number, errorCode: number): void
  /** `streamId` 0: the connection. */
  onWindowUpdate(streamId: number, increment: number): void
  /** A frame that asks for nothing: PRIORITY, unknown types, empty DATA. */
  onIdleFrame(): void
}

/** Reused for every frame: valid until the call returns. */
export interface DataSlice {
  readonly buffer: Buffer
  readonly from: number
  readonly to: number
  readonly size: number
  readonly isEnd: boolean
}

/** Reused for every block: valid until the call returns. */
export interface HeaderBlock {
  readonly buffer: Buffer
  readonly from: number
  readonly to: number
  readonly isEnd: boolean
}

const NOTHING = Buffer.alloc(0)

export class FrameReader {
  readonly #sink: FrameSink
  #isPrefaceDue: boolean
  #isSettingsDue = true
  #rest: Buffer | undefined
  #isStopped = false
  /** Bytes of the DATA frame in the middle of which a read ended. */
  #dataLeft = 0
  #dataStream = 0
  #dataEnds = false
  readonly #data = { buffer: NOTHING as Buffer, from: 0, to: 0, size: 0, isEnd: false }
  readonly #block = { buffer: NOTHING as Buffer, from: 0, to: 0, isEnd: false }
  /** The stream whose header block goes on in CONTINUATION frames; 0: none. */
  #blockStream = 0
  #blockEnds = false
  #blockParts: Buffer[] = []
  #blockBytes = 0

  /** A server is told the preface first; both sides then SETTINGS. */
  constructor(sink: FrameSink, role: 'server' | 'client') {
    this.#sink = sink
    this.#isPrefaceDue = role === 'server'
  }

  /** Reads what came. Throws ConnectionError; the reader is of no use after that. */
  feed(chunk: Buffer): void {
    const buffer = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = undefined
    let at = this.#isPrefaceDue ? this.#preface(buffer) : 0
    while (at < buffer.length && !this.#isStopped) {
      const next = this.#dataLeft > 0 ? this.#moreData(buffer, at) : this.#frame(buffer, at)
      if (next === at) break
      at = next
    }
    if (at < buffer.length && !this.#isStopped) this.#rest = at === 0 ? buffer : buffer.subarray(at)
  }

  /** Nothing that comes from now on is looked at. */
  stop(): void {
    this.#isStopped = true
    this.#rest = undefined
  }

  #preface(buffer: Buffer): number {
    const size = Math.min(PREFACE.length, buffer.length)
    if (PREFACE.compare(buffer, 0, size, 0, size) !== 0) throw protocolError('expected the preface of HTTP/2')
    if (size < PREFACE.length) return 0
    this.#isPrefaceDue = false
    return size
  }

  /** Reads the frame at `at`; returns the place after it, or `at` where it is not whole. */
  #frame(buffer: Buffer, at: number): number {
    if (this.#isPrefaceDue || buffer.length - at < FRAME_HEAD_BYTES) return at
    const length =
      ((buffer[at] as number) << 16) | ((buffer[at + 1] as number) << 8) | (buffer[at + 2] as number)
    const type = buffer[at + 3] as number
    const flags = buffer[at + 4] as number
    const streamId = buffer.readUInt32BE(at + 5) & NOT_RESERVED
    if (length > MAX_RECEIVED_FRAME_BYTES)
      throw sizeError(`expected a frame of at most ${MAX_RECEIVED_FRAME_BYTES} bytes; ${length} came`)
    this.#checkOrder(type, flags, streamId)
    const from = at + FRAME_HEAD_BYTES
    if (type === FRAME.data && (flags & FLAG.padded) === 0) {
      if (streamId === 0) throw protocolError('expected DATA on a stream')
      this.#dataLeft = length
      this.#dataStream = streamId
      this.#dataEnds = (flags & FLAG.endStream) !== 0
      return this.#moreData(buffer, from)
    }
    const to = from + length
    if (to > buffer.length) return at
    this.#payload({ type, flags, streamId, buffer, from, to })
    return to
  }

  #checkOrder(type: number, flags: number, streamId: number): void {
    if (this.#isSettingsDue) {
      if (type !== FRAME.settings || (flags & FLAG.ack) !== 0) throw protocolError('expected SETTINGS first')
      this.#isSettingsDue = false
    }
    if (this.#blockStream !== 0 && (type !== FRAME.continuation || streamId !== this.#blockStream))
      throw protocolError('expected CONTINUATION until the end of the header block')
  }

  #moreData(buffer: Buffer, from: number): number {
    const to = Math.min(buffer.length, from + this.#dataLeft)
    const isWhole = to - from === this.#dataLeft
    this.#dataLeft -= to - from
    if (from < to || isWhole)
      this.#handData(this.#dataStream, buffer, from, to, to - from, isWhole && this.#dataEnds)
    return to
  }

  #handData(streamId: number, buffer: Buffer, from: number, to: number, size: number, isEnd: boolean): void {
    if (from === to && !isEnd) this.#sink.onIdleFrame()
    const data = this.#data
    data.buffer = buffer
    data.from = from
    data.to = to
    data.size = size
    data.isEnd = isEnd
    this.#sink.onData(streamId, data)
  }

  #payload(frame: Frame): void {
    const { type, flags, streamId, buffer, from, to } = frame
    const sink = this.#sink
    checkFrame(frame)
    switch (type) {
      case FRAME.data: {
        const padding = paddingOf(frame)
        this.#handData(streamId, buffer, from + 1, to - padding, to - from, (flags & FLAG.endStream) !== 0)
        return
      }
      case FRAME.headers:
        this.#headers(frame)
        return
      case FRAME.priority:
        sink.onIdleFrame()
        checkDependency(frame, from)
        return
      case FRAME.rstStream:
        sink.onReset(streamId, buffer.readUInt32BE(from))
        return
      case FRAME.settings:
        this.#settings(frame)
        return
      case FRAME.pushPromise:
        throw protocolError('expected no PUSH_PROMISE: we ask for none, and clients send none')
      case FRAME.ping:
        sink.onPing(buffer.subarray(from, to), (flags & FLAG.ack) !== 0)
        return
      case FRAME.goAway:
        sink.onGoAway(buffer.readUInt32BE(from) & NOT_RESERVED, buffer.readUInt32BE(from + 4))
        return
      case FRAME.windowUpdate:
        sink.onWindowUpdate(streamId, buffer.readUInt32BE(from) & NOT_RESERVED)
        return
      case FRAME.continuation:
        this.#continuation(frame)
        return
      default:
        sink.onIdleFrame() // RFC 9113, section 4.1: unknown types are passed over
    }
  }

  #settings({ flags, buffer, from, to }: Frame): void {
    const isAnswer = (flags & FLAG.ack) !== 0
    if (isAnswer && to > from) throw sizeError('expected no payload in the acknowledgement of SETTINGS')
    for (let at = from; at < to; at += SETTING_BYTES)
      this.#sink.onSetting(buffer.readUInt16BE(at), buffer.readUInt32BE(at + 2))
    this.#sink.onSettingsEnd(isAnswer)
  }

  #headers(frame: Frame): void {
    const { flags, streamId, buffer } = frame
    const isPadded = (flags & FLAG.padded) !== 0
    let from = frame.from + (isPadded ? 1 : 0)
    const to = frame.to - (isPadded ? paddingOf(frame) : 0)
    const isEnd = (flags & FLAG.endStream) !== 0
    if ((flags & FLAG.priority) !== 0) {
      if (to - from < PRIORITY_BYTES) throw sizeError('expected five bytes of priority')
      checkDependency(frame, from)
      from += PRIORITY_BYTES
    }
    if ((flags & FLAG.endHeaders) !== 0) this.#handBlock(streamId, { buffer, from, to, isEnd })
    else {
      this.#blockStream = streamId
      this.#blockEnds = isEnd
      // A copy: small pieces must not hold the large reads that they came in.
      this.#blockParts = [Buffer.from(buffer.subarray(from, to))]
      this.#blockBytes = to - from
    }
  }

  #continuation({ flags, streamId, buffer, from, to }: Frame): void {
    if (this.#blockStream === 0) throw protocolError('expected CONTINUATION after HEADERS only')
    this.#blockParts.push(Buffer.from(buffer.subarray(from, to)))
    this.#blockBytes += to - from
    if (this.#blockBytes > MAX_BLOCK_BYTES || this.#blockParts.length > MAX_CONTINUATIONS + 1)
      throw new ConnectionError(
        ERROR_CODE.enhanceYourCalm,
        `expected a header block of at most ${MAX_BLOCK_BYTES} bytes`,
      )
    if ((flags & FLAG.endHeaders) === 0) return
    const block = Buffer.concat(this.#blockParts)
    this.#blockStream = 0
    this.#blockParts = []
    this.#handBlock(streamId, { buffer: block, from: 0, to: block.length, isEnd: this.#blockEnds })
  }

  #handBlock(streamId: number, { buffer, from, to, isEnd }: HeaderBlock): void {
    const block = this.#block
    block.buffer = buffer
    block.from = from
    block.to = to
    block.isEnd = isEnd
    this.#sink.onHeaders(streamId, block)
  }
}
