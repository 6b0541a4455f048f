/** What is wrong with a frame whatever the state of its stream (RFC 9113, section 6). */
import { ConnectionError, ERROR_CODE, FRAME } from './protocol.ts'

/** Stream numbers and increments have 31 bits. */
export const NOT_RESERVED = 0x7fffffff

export const protocolError = (message: string): ConnectionError =>
  new ConnectionError(ERROR_CODE.protocol, message)
export const sizeError = (message: string): ConnectionError =>
  new ConnectionError(ERROR_CODE.frameSize, message)

/** A frame of which all is there: its payload is the bytes [from, to). */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly buffer: Buffer
  readonly from: number
  readonly to: number
}

export const SETTING_BYTES = 6
export const PRIORITY_BYTES = 5
/** Payloads of one size only, by type. */
const EXACT_BYTES: readonly (number | undefined)[] = [
  undefined,
  undefined,
  5,
  4,
  undefined,
  undefined,
  8,
  undefined,
  4,
]
const MIN_GO_AWAY_BYTES = 8

/** Throws ConnectionError where a frame cannot have this size, or be on this stream. */
export function checkFrame(frame: Frame): void {
  checkSize(frame)
  checkStream(frame)
}

function checkSize({ type, from, to }: Frame): void {
  const size = to - from
  const exact = EXACT_BYTES[type]
  if (exact !== undefined && size !== exact)
    throw sizeError(`expected ${exact} bytes in a frame of type ${type}; ${size} came`)
  if (type === FRAME.settings && size % SETTING_BYTES !== 0)
    throw sizeError('expected SETTINGS of six bytes each')
  if (type === FRAME.goAway && size < MIN_GO_AWAY_BYTES)
    throw sizeError('expected eight bytes or more in GOAWAY')
}

/** Types that speak of the connection have no stream, the others have one; WINDOW_UPDATE may be either. */
function checkStream({ type, streamId }: Frame): void {
  if (type > FRAME.continuation || type === FRAME.windowUpdate) return
  const isOfConnection = type === FRAME.settings || type === FRAME.ping || type === FRAME.goAway
  if (isOfConnection === (streamId === 0)) return
  throw protocolError(`expected a frame of type ${type} ${isOfConnection ? 'on stream 0' : 'on a stream'}`)
}

/** RFC 7540, section 5.3.1: a stream that depends on itself. Priorities are gone; what nobody can mean is refused still. */
export function checkDependency({ buffer, streamId }: Frame, at: number): void {
  if ((buffer.readUInt32BE(at) & NOT_RESERVED) === streamId)
    throw protocolError('expected a stream to depend on another one')
}

/** Bytes of padding; the one that says so is not among them. */
export function paddingOf({ buffer, from, to }: Frame): number {
  const padding = buffer[from] as number
  if (to === from || padding >= to - from) throw protocolError('expected less padding than payload')
  return padding
}
