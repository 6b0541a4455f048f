/** The numbers of RFC 9113, and what is said when they are not kept to. */
import { MeshError } from '@weft/schemas/error'

/** What a client says first, also where nothing has been negotiated (RFC 9113, section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  /** RFC 8441, section 3. */
  enableConnectProtocol: 8,
} as const

export const ERROR_CODE = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  connect: 10,
  enhanceYourCalm: 11,
} as const

export const FRAME_HEAD_BYTES = 9
/** What everybody takes, and what we ask for: TLS records are no larger. */
export const DEFAULT_FRAME_BYTES = 16_384
export const MAX_FRAME_BYTES = 16_777_215
export const DEFAULT_WINDOW_BYTES = 65_535
export const MAX_WINDOW_BYTES = 0x7fffffff
export const MAX_STREAM_ID = 0x7fffffff

/** The connection cannot go on (RFC 9113, section 5.4.1): GOAWAY with this code, then the end. */
export class ConnectionError extends MeshError {
  readonly errorCode: number

  constructor(errorCode: number, message: string) {
    super('invalid_request', message)
    this.name = 'ConnectionError'
    this.errorCode = errorCode
  }
}
