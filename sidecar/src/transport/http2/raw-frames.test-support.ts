/** HTTP/2 by the byte: frames as they should be, and as they should not. */
import { connect, type Socket } from 'node:net'
import { writeFrameHead } from './frame-output.ts'
import { HpackEncoder, MAX_UPDATE_BYTES, maxFieldBytes } from './hpack/encoder.ts'
import { FLAG, FRAME, FRAME_HEAD_BYTES, PREFACE } from './protocol.ts'

export function frame(type: number, flags: number, streamId: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1')
  const whole = Buffer.alloc(FRAME_HEAD_BYTES + bytes.length)
  writeFrameHead(whole, 0, { length: bytes.length, type, flags, streamId })
  bytes.copy(whole, FRAME_HEAD_BYTES)
  return whole
}

export const number32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}

export type FieldList = readonly (readonly [name: string, value: string])[]

/** A header block of an encoder of its own: it refers to nothing that came before. */
export function block(fields: FieldList): Buffer {
  const room = fields.reduce((sum, [name, value]) => sum + maxFieldBytes(name, value), MAX_UPDATE_BYTES)
  const buffer = Buffer.alloc(room)
  const encoder = new HpackEncoder()
  encoder.begin(buffer, 0)
  for (const [name, value] of fields) encoder.neverIndexed(name, value)
  return buffer.subarray(0, encoder.end())
}

export const requestFields = (extra: FieldList = [], method = 'GET'): FieldList => [
  [':method', method],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'server'],
  ...extra,
]

export const SETTINGS = frame(FRAME.settings, 0, 0)
/** What a client says first. */
export const START = Buffer.concat([PREFACE, SETTINGS])

export const headers = (streamId: number, fields: FieldList, flags: number = FLAG.endStream): Buffer =>
  frame(FRAME.headers, flags | FLAG.endHeaders, streamId, block(fields))

export interface ReceivedFrame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

/** A connection that sends bytes and takes frames apart, and knows of nothing else. */
export class RawConnection {
  readonly socket: Socket
  readonly frames: ReceivedFrame[] = []
  readonly closed: Promise<void>
  #rest = Buffer.alloc(0)
  #waiting: {
    readonly isIt: (received: ReceivedFrame) => boolean
    readonly resolve: (it: ReceivedFrame) => void
  }[] = []

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
  }

  send(...parts: readonly Buffer[]): void {
    for (const part of parts) this.socket.write(part)
  }

  /** The first frame, come already or still to come, of this kind. Rejects when the connection ends without it. */
  async first(type: number, streamId?: number): Promise<ReceivedFrame> {
    const isIt = (received: ReceivedFrame): boolean =>
      received.type === type && (streamId === undefined || received.streamId === streamId)
    const came = this.frames.find(isIt)
    if (came !== undefined) return came
    const { promise, resolve, reject } = Promise.withResolvers<ReceivedFrame>()
    this.#waiting.push({ isIt, resolve })
    void this.closed.then(() => reject(new Error(`the connection ended without a frame of type ${type}`)))
    return promise
  }

  /** The code of RST_STREAM, GOAWAY. */
  async errorCode(type: number, streamId?: number): Promise<number> {
    const { payload } = await this.first(type, streamId)
    return payload.readUInt32BE(type === FRAME.goAway ? 4 : 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    await this.closed
  }

  #read(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk])
    for (;;) {
      const length = bytes.length < FRAME_HEAD_BYTES ? 0 : bytes.readUIntBE(0, 3)
      if (bytes.length < FRAME_HEAD_BYTES + length) break
      const [type = 0, flags = 0] = bytes.subarray(3, 5)
      const received = {
        type,
        flags,
        streamId: bytes.readUInt32BE(5),
        payload: bytes.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length),
      }
      bytes = bytes.subarray(FRAME_HEAD_BYTES + length)
      this.frames.push(received)
      const met = this.#waiting.filter(({ isIt }) => isIt(received))
      this.#waiting = this.#waiting.filter((waiting) => !met.includes(waiting))
      for (const { resolve } of met) resolve(received)
    }
    this.#rest = bytes
  }
}
