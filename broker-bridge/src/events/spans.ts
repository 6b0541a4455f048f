/** Spans of the event API: sampling is decided here, and what is not sampled never reaches the SDK. */
import {
  type Attributes,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { formatTraceparent, newSpanId, newTraceId, type TraceContext } from '@weft/schemas/trace-context'

export interface SpanRequest {
  readonly name: string
  readonly kind: SpanKind
  /** The caller's context; its decision to sample is followed. Absent: a new trace, sampled with `samplingRatio`. */
  readonly parent: TraceContext | undefined
  /** True where the parent is linked too: a record has one producer, and may be processed long after. */
  readonly link?: boolean
  readonly samplingRatio: number
  readonly attributes: Attributes
}

/** A span, or only its ids where nothing is recorded. */
export class EventSpan {
  readonly context: TraceContext
  readonly #span: Span | undefined

  constructor(context: TraceContext, span: Span | undefined) {
    this.context = context
    this.#span = span
  }

  get traceparent(): string {
    return formatTraceparent(this.context)
  }

  set(attributes: Attributes): void {
    this.#span?.setAttributes(attributes)
  }

  event(name: string, attributes: Attributes): void {
    this.#span?.addEvent(name, attributes)
  }

  end(fault?: string): void {
    if (fault !== undefined) this.#span?.setStatus({ code: SpanStatusCode.ERROR, message: fault })
    this.#span?.end()
  }
}

export function startSpan(tracer: Tracer, request: SpanRequest): EventSpan {
  const { parent } = request
  const sampled = parent?.sampled ?? Math.random() < request.samplingRatio
  const traceId = parent?.traceId
  if (!sampled)
    return new EventSpan({ traceId: traceId ?? newTraceId(), spanId: newSpanId(), sampled: false }, undefined)

  const remote = parent && {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  }
  const links: Link[] = request.link === true && remote !== undefined ? [{ context: remote }] : []
  const span = tracer.startSpan(
    request.name,
    { kind: request.kind, attributes: request.attributes, links },
    remote === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote),
  )
  const own = span.spanContext()
  // Without an SDK the API hands out the parent's context or zeros: then only ids are passed on.
  if (!isSpanContextValid(own) || own.spanId === parent?.spanId)
    return new EventSpan(
      { traceId: traceId ?? newTraceId(), spanId: newSpanId(), sampled: parent !== undefined },
      undefined,
    )
  return new EventSpan({ traceId: own.traceId, spanId: own.spanId, sampled: true }, span)
}
