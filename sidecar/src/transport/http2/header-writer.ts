/** Heads and trailers as header blocks. Framing fields are written from what we know, never copied from what came. */
import { type Fields, type RequestHead, type ResponseHead, UNKNOWN_LENGTH } from '../exchange.ts'
import type { FrameOutput } from './frame-output.ts'
import { writeFrameHead, writeSplitBlock } from './frame-output.ts'
import { HpackEncoder, MAX_UPDATE_BYTES, maxFieldBytes } from './hpack/encoder.ts'
import { DEFAULT_FRAME_BYTES, FLAG, FRAME, FRAME_HEAD_BYTES } from './protocol.ts'

const STATUS_TEXTS: readonly string[] = Array.from({ length: 1000 }, (_, status) => String(status))
/** What the pseudo-header fields and Content-Length take beside their own values. */
const START_BYTES = 128
/** Methods that seldom have a body: without one they say nothing of its length (RFC 9110, section 8.6). */
const WITHOUT_LENGTH: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

export class HeaderWriter {
  readonly encoder = new HpackEncoder()
  readonly #output: FrameOutput

  constructor(output: FrameOutput) {
    this.#output = output
  }

  /** Returns where the flags of the frame are; it does not end the stream yet. */
  request(streamId: number, head: RequestHead, scheme: 'http' | 'https'): number {
    const { target, authority, fields, length, upgrade } = head
    const method = upgrade === undefined ? head.method : 'CONNECT'
    this.#begin(
      fields,
      START_BYTES + (upgrade?.length ?? 0) + method.length + target.length + authority.length,
    )
    const { encoder } = this
    encoder.field(':method', method)
    if (upgrade !== undefined) encoder.field(':protocol', upgrade)
    encoder.field(':scheme', scheme)
    encoder.field(':path', target)
    if (authority !== '') encoder.field(':authority', authority)
    this.#fields(fields, head.neverIndexed)
    // Servers look at it to know that their trailers, and the status in them, will be read.
    if (head.isGrpc) encoder.field('te', 'trailers')
    if (length > 0 || (length === 0 && !WITHOUT_LENGTH.has(method)))
      encoder.field('content-length', String(length))
    return this.#end(streamId, 0)
  }

  response(streamId: number, head: ResponseHead): number {
    const { status, fields, length } = head
    this.#begin(fields, START_BYTES)
    this.encoder.field(':status', STATUS_TEXTS[status] ?? String(status))
    this.#fields(fields, head.neverIndexed)
    if (length !== UNKNOWN_LENGTH && status !== 204) this.encoder.field('content-length', String(length))
    return this.#end(streamId, 0)
  }

  interim(streamId: number, status: number, fields: Fields): void {
    this.#begin(fields, START_BYTES)
    this.encoder.field(':status', String(status))
    this.#fields(fields, undefined)
    this.#end(streamId, 0)
  }

  /** Ends the stream. */
  trailers(streamId: number, fields: Fields): void {
    this.#begin(fields, 0)
    this.#fields(fields, undefined)
    this.#end(streamId, FLAG.endStream)
  }

  #begin(fields: Fields, startBytes: number): void {
    let bytes = FRAME_HEAD_BYTES + MAX_UPDATE_BYTES + startBytes
    for (let at = 0; at < fields.length; at += 2)
      bytes += maxFieldBytes(fields[at] as string, fields[at + 1] as string)
    const output = this.#output
    output.reserve(bytes)
    this.encoder.begin(output.buffer, output.at + FRAME_HEAD_BYTES)
  }

  #fields(fields: Fields, neverIndexed: readonly string[] | undefined): void {
    const { encoder } = this
    if (neverIndexed === undefined) {
      for (let at = 0; at < fields.length; at += 2)
        encoder.field(fields[at] as string, fields[at + 1] as string)
      return
    }
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at] as string
      if (neverIndexed.includes(name)) encoder.neverIndexed(name, fields[at + 1] as string)
      else encoder.field(name, fields[at + 1] as string)
    }
  }

  #end(streamId: number, flags: number): number {
    const output = this.#output
    const start = output.at
    const end = this.encoder.end()
    const length = end - start - FRAME_HEAD_BYTES
    if (length > DEFAULT_FRAME_BYTES) {
      const block = Buffer.from(output.buffer.subarray(start + FRAME_HEAD_BYTES, end))
      return writeSplitBlock(output, block, streamId, flags)
    }
    const head = { length, type: FRAME.headers, flags: flags | FLAG.endHeaders, streamId }
    writeFrameHead(output.buffer, start, head)
    output.at = end
    return start + FLAGS_AT
  }
}

/** From the first byte of a frame to its flags. */
const FLAGS_AT = 4
