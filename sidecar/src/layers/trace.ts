/**
 * Trace context of one hop (W3C Trace Context). A caller's decision to record is followed; without one the dice are ours.
 * What is not recorded never meets the SDK: its context goes on with flag 00, and that is all it costs.
 */
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { MeshError } from '@weft/schemas/error'
import {
  formatTraceparent,
  isUnsampled,
  newSpanId,
  newTraceId,
  newUnsampled,
  parseTraceparent,
  type TraceContext,
} from '@weft/schemas/trace-context'
import type {
  Fields,
  Progress,
  RequestHead,
  ResponseHandler,
  ResponseHead,
  Service,
} from '../transport/exchange.ts'
import { ForwardingResponse } from '../transport/exchange.ts'
import { firstValue, onlyValue, removeFields, setField } from '../transport/fields.ts'
import { grpcStatusOf } from './grpc-status.ts'

export interface TraceOptions {
  readonly tracer: Tracer
  readonly kind: 'server' | 'client'
  /** Share of new traces that are recorded, 0 to 1. */
  readonly samplingRatio: () => number
}

export function traceRequests(inner: Service, options: TraceOptions): Service {
  return {
    call(head, response) {
      const recording = continueTrace(head, options)
      return inner.call(head, new TracedResponse(response, head, recording))
    },
  }
}

interface Recording {
  readonly span: Span
  readonly failsFrom: number
}

/** Writes the context that goes on. Undefined where this hop is not recorded. */
function continueTrace(head: RequestHead, options: TraceOptions): Recording | undefined {
  const text = onlyValue(head.fields, 'traceparent')
  if (text !== undefined && isUnsampled(text)) {
    head.notes.traceparent = text
    return undefined
  }
  const came = parentOf(head.fields, text)
  const isRecorded = came?.sampled ?? Math.random() < options.samplingRatio()
  const span = isRecorded ? startSpan(head, came, options) : undefined
  head.notes.traceparent = contextText(span, came)
  setField(head.fields, 'traceparent', head.notes.traceparent)
  return span === undefined ? undefined : { span, failsFrom: FAILS_FROM[options.kind] }
}

/** Two different parents are none: and what belongs to a parent that is ignored is ignored with it. */
function parentOf(fields: Fields, text: string | undefined): TraceContext | undefined {
  const came = parseTraceparent(text)
  if (came === undefined) removeFields(fields, (name) => name === 'tracestate')
  return came
}

function contextText(span: Span | undefined, came: TraceContext | undefined): string {
  const own = span?.spanContext()
  // Where no SDK was started a span of the API has no ids.
  if (own !== undefined && isSpanContextValid(own))
    return formatTraceparent({ traceId: own.traceId, spanId: own.spanId, sampled: true })
  if (came !== undefined) return formatTraceparent(came)
  if (span === undefined) return newUnsampled()
  return formatTraceparent({ traceId: newTraceId(), spanId: newSpanId(), sampled: true })
}

function startSpan(head: RequestHead, came: TraceContext | undefined, { tracer, kind }: TraceOptions): Span {
  const parent: Context =
    came === undefined
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, {
          traceId: came.traceId,
          spanId: came.spanId,
          traceFlags: TraceFlags.SAMPLED,
          isRemote: true,
        })
  const attributes: Attributes = {
    'http.request.method': head.method,
    'url.path': head.target.split('?', 1)[0] ?? '',
    'url.scheme': 'http',
    'server.address': head.authority.replace(/:[0-9]+$/, ''),
  }
  if (kind === 'server') attributes['weft.peer'] = head.peer.id?.uri ?? 'anonymous'
  return tracer.startSpan(
    head.method,
    { kind: kind === 'server' ? SpanKind.SERVER : SpanKind.CLIENT, attributes },
    parent,
  )
}

/** Semantic conventions for HTTP spans, status: a 4xx is the client's failure, and none of the server's. */
const FAILS_FROM = { client: 400, server: 500 } as const
/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const SERVER_FAILURES: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15])

class TracedResponse extends ForwardingResponse {
  readonly #request: RequestHead
  readonly #recording: Recording | undefined
  #status = 0
  #head: Fields | undefined

  constructor(next: ResponseHandler, request: RequestHead, recording: Recording | undefined) {
    super(next)
    this.#request = request
    this.#recording = recording
  }

  override onHead(head: ResponseHead): void {
    this.#status = head.status
    this.#head = head.fields
    if (firstValue(head.fields, 'traceparent') === undefined)
      head.fields.push('traceparent', this.#request.notes.traceparent)
    this.next.onHead(head)
  }

  override onEnd(trailers: Fields | undefined): void {
    if (this.#recording !== undefined) {
      if (this.#request.isGrpc) this.#describeCall(this.#recording, grpcStatusOf(this.#head, trailers))
      this.#finish(this.#recording, undefined)
    }
    this.next.onEnd(trailers)
  }

  override onFail(error: MeshError, progress: Progress): void {
    if (this.#recording !== undefined) this.#finish(this.#recording, error)
    this.next.onFail(error, progress)
  }

  /** Semantic conventions for RPC spans: `rpc.*`, and which statuses are the server's failure. */
  #describeCall({ span, failsFrom }: Recording, status: number | undefined): void {
    const [, service = '', method = ''] = this.#request.target.split('/')
    span.setAttributes({ 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method })
    if (status === undefined) return
    span.setAttribute('rpc.grpc.status_code', status)
    const isFailure = failsFrom === FAILS_FROM.client ? status !== 0 : SERVER_FAILURES.has(status)
    if (isFailure) span.setStatus({ code: SpanStatusCode.ERROR })
  }

  #finish({ span, failsFrom }: Recording, error: MeshError | undefined): void {
    const { method, notes, peer } = this.#request
    span.updateName(`${method} ${notes.service}`)
    if (this.#status !== 0) span.setAttribute('http.response.status_code', this.#status)
    if (peer.id === undefined && notes.endpointIdentity !== '')
      span.setAttribute('weft.peer', notes.endpointIdentity)
    if (notes.policy !== '') span.setAttribute('weft.policy', notes.policy)
    if (error !== undefined) span.setAttribute('error.type', error.row.id)
    if (error !== undefined || this.#status >= failsFrom) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }
}
