/**
 * One HTTP exchange, of whatever protocol: what transports offer and layers stack upon.
 *
 *     caller (a connection that was accepted)              callee (a layer, in the end a connection that was dialled)
 *        │── service.call(head, response) ───────────────────▶│   returns the RequestHandler of this exchange
 *        │── data(chunk)* ── end(trailers?) ─────────────────▶│   the request body; `end` always comes, also without a body
 *        │◀── onInterim(1xx)* ── onHead ── onData* ── onEnd ──│   the answer
 *        │◀── onFail ─────────────────────────────────────────│   instead of what is missing of the answer
 *
 * Rules that every implementation keeps:
 * 1. Each call ends with exactly one `onEnd` or `onFail`, and nothing follows it. `cancel` is answered with `onFail` too,
 *    before it returns, so that a layer that counts or releases something needs to look at the response side only.
 * 2. The answer may come, and end, before the request has ended, and even before `call` returns. After its end the methods
 *    of the RequestHandler do nothing, so a caller may go on without asking.
 * 3. `call` may throw instead of calling `onFail`; only the first attempt may see it (layers/rescue.ts catches).
 * 4. Back-pressure. `onPause`: the callee cannot take more of the request; `onResume`: it can again. `pause` and `resume`
 *    say the same of the answer. All are idempotent. After a pause at most what one read of a socket brought (64 KiB), or
 *    the window of a stream (http2/limits.ts), still comes: it must be accepted. Paused sockets are not read, and paused streams
 *    are not credited, so the peer's own window shuts: memory is bounded end to end.
 * 5. Chunks are slices of the buffer that the socket delivered: they may be kept, never changed.
 * 6. `head.fields` is owned by the exchange: layers change it in place on the way in. Nothing hop-by-hop is in it.
 * 7. Where `head.upgrade` is set, an answer of 101 makes a tunnel of the exchange: the bodies are what goes either way. Any other answer
 *    is an ordinary one. What the caller sends before the answer is held by the connection that was dialled (it pauses, rule 4). The
 *    end of the answer ends the tunnel; the end of the request shuts one half of it only.
 */
import type { MeshError } from '@weft/schemas/error'
import type { ProvenToken, Subject } from '@weft/schemas/policy'
import type { SpiffeId } from '@weft/schemas/spiffe'

/** Name, value, name, value…; names in lower case, values as Latin-1 text without surrounding white space. */
export type Fields = string[]

/** Length of a body that says itself where it ends (chunked, HTTP/2). */
export const UNKNOWN_LENGTH = -1

/** Who is at the other end of an accepted connection. One object per connection. */
export interface Peer {
  /** Proven in the handshake; absent on plain-text listeners. */
  readonly id: SpiffeId | undefined
  readonly subject: Subject
  /** `address:port` that a captured connection was meant for. */
  readonly destination?: string
}

/** What the layers of one exchange leave for one another. */
export interface Notes {
  /** `performance.now()` when the head was complete. */
  readonly startedAt: number
  /** Trace context of this hop, as it goes on; empty until the trace layer has run. */
  traceparent: string
  /** Name of the called service and service account that answers for it, for metrics and spans; `-` while unknown. */
  service: string
  destination: string
  /** SPIFFE id of the endpoint that the last attempt went to. */
  endpointIdentity: string
  /** Policy that refused. */
  policy: string
  /** Id of the error that this sidecar answered with; empty where the answer is somebody else's. */
  error: string
  /** Host that the last attempt went to, so that the next one goes elsewhere. */
  tried: object | undefined
  /** Host that the first attempt has to go to while it is there: that of a session. */
  pinned: object | undefined
  /** `performance.now()` at which all attempts together have run out of time; 0: not decided. */
  deadlineAt: number
  /** The token of the end user, where one came and was verified. */
  token: ProvenToken | undefined
}

export const newNotes = (): Notes => ({
  startedAt: performance.now(),
  traceparent: '',
  service: '-',
  destination: '-',
  endpointIdentity: '',
  policy: '',
  error: '',
  tried: undefined,
  pinned: undefined,
  deadlineAt: 0,
  token: undefined,
})

export interface RequestHead {
  readonly method: string
  /** Path and query, byte for byte as they came; `*` for OPTIONS of the server itself. */
  readonly target: string
  /** Host and port that are asked for, as they came; empty for HTTP/1.0 without Host. */
  readonly authority: string
  readonly fields: Fields
  /** Bytes of the body: 0 none, UNKNOWN_LENGTH where its end says so. */
  readonly length: number
  /** Protocol that the caller wants to go on with, `websocket` for one; undefined on all but few requests. */
  readonly upgrade: string | undefined
  /** It came over HTTP/2 with the content type of gRPC: errors are answered in gRPC's way. */
  readonly isGrpc: boolean
  /** Names of fields that their sender wants in no compression table on the way (RFC 7541, section 6.2.3). */
  readonly neverIndexed?: readonly string[] | undefined
  readonly peer: Peer
  readonly notes: Notes
}

export interface ResponseHead {
  readonly status: number
  readonly fields: Fields
  /** Declared bytes of the body; UNKNOWN_LENGTH where none was declared. Says nothing of HEAD, 204 and 304: they have no body. */
  readonly length: number
  /** As in RequestHead. */
  readonly neverIndexed?: readonly string[] | undefined
}

/**
 * How far a failed exchange had come. unsent: nothing reached the other side, any method can be sent again.
 * unanswered: not one byte of an answer came, idempotent methods can be. answered: too late.
 */
export type Progress = 'unsent' | 'unanswered' | 'answered'

/** What the caller gives: it receives the answer. */
export interface ResponseHandler {
  onInterim(status: number, fields: Fields): void
  onHead(head: ResponseHead): void
  onData(chunk: Buffer): void
  onEnd(trailers: Fields | undefined): void
  onFail(error: MeshError, progress: Progress): void
  onPause(): void
  onResume(): void
}

/** What the callee returns: it receives the body of the request. */
export interface RequestHandler {
  data(chunk: Buffer): void
  end(trailers: Fields | undefined): void
  cancel(error: MeshError): void
  pause(): void
  resume(): void
}

/** A layer, or a stack of them, or the connection at the end of a stack. */
export interface Service {
  call(head: RequestHead, response: ResponseHandler): RequestHandler
}

const nothing = (): void => {}
/** For exchanges that are answered before `call` returns. */
export const ANSWERED: RequestHandler = {
  data: nothing,
  end: nothing,
  cancel: nothing,
  pause: nothing,
  resume: nothing,
}

/** Base of layers that look at the answer only: hands everything on. */
export class ForwardingResponse implements ResponseHandler {
  protected readonly next: ResponseHandler

  constructor(next: ResponseHandler) {
    this.next = next
  }
  onInterim(status: number, fields: Fields): void {
    this.next.onInterim(status, fields)
  }
  onHead(head: ResponseHead): void {
    this.next.onHead(head)
  }
  onData(chunk: Buffer): void {
    this.next.onData(chunk)
  }
  onEnd(trailers: Fields | undefined): void {
    this.next.onEnd(trailers)
  }
  onFail(error: MeshError, progress: Progress): void {
    this.next.onFail(error, progress)
  }
  onPause(): void {
    this.next.onPause()
  }
  onResume(): void {
    this.next.onResume()
  }
}

/** Base of layers that want to know how an exchange ended: `ended` runs once, before the end is handed on. */
export abstract class WatchedResponse extends ForwardingResponse {
  #status = 0

  /** `status` 0: no head came. `error`: what ended it where it has failed. */
  protected abstract ended(status: number, error: MeshError | undefined): void

  override onHead(head: ResponseHead): void {
    this.#status = head.status
    this.next.onHead(head)
  }
  override onEnd(trailers: Fields | undefined): void {
    this.ended(this.#status, undefined)
    this.next.onEnd(trailers)
  }
  override onFail(error: MeshError, progress: Progress): void {
    this.ended(this.#status, error)
    this.next.onFail(error, progress)
  }
}

/** Methods that may be sent twice with the effect of once (RFC 9110, section 9.2.2), and CONNECT's absence is meant. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])
export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method)
