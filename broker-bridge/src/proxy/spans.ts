import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { TraceContext } from '@weft/schemas/trace-context'

export interface RecordOf {
  readonly topic: string
  readonly partition: number
}

const attributesOf = (operation: 'send' | 'process', { topic, partition }: RecordOf): Attributes => ({
  'messaging.system': 'kafka',
  'messaging.destination.name': topic,
  'messaging.destination.partition.id': String(partition),
  'messaging.operation.name': operation,
  'messaging.operation.type': operation,
})

/** `send T`: from the request to the broker's answer. Without a parent it is the root of a new trace. */
export function startSend(tracer: Tracer, record: RecordOf, parent: TraceContext | undefined): Span {
  const attributes = attributesOf('send', record)
  return tracer.startSpan(`send ${record.topic}`, { kind: SpanKind.PRODUCER, attributes }, contextOf(parent))
}

/** `process T`: from the delivery of a record to the commit that covers it. */
export function startProcess(
  tracer: Tracer,
  record: RecordOf & { readonly offset: number },
  parent: TraceContext,
): Span {
  const attributes = { ...attributesOf('process', record), 'messaging.kafka.offset': record.offset }
  return tracer.startSpan(
    `process ${record.topic}`,
    { kind: SpanKind.CONSUMER, attributes },
    contextOf(parent),
  )
}

/** Ends a send span with what the broker said of its partition; -1 where it said nothing. */
export function endSend(span: Span, errorCode: number, offset: number | undefined): void {
  if (errorCode !== 0) {
    span.setAttribute('error.type', String(errorCode))
    span.setStatus({ code: SpanStatusCode.ERROR, message: `Kafka error ${errorCode}` })
  } else if (offset !== undefined) {
    span.setAttribute('messaging.kafka.offset', offset)
  }
  span.end()
}

/** The ids to hand on; undefined from a tracer that records nothing: then the parent's stay, and the trace has no gap. */
export function idsOf(span: Span): { traceId: string; spanId: string } | undefined {
  return span.isRecording() ? span.spanContext() : undefined
}

function contextOf(parent: TraceContext | undefined) {
  if (parent === undefined) return ROOT_CONTEXT
  const { traceId, spanId } = parent
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  })
}
