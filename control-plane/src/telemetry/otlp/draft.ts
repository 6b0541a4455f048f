/** What both encodings are read into: a span whose every part is bounded, whatever was sent. */
import type { Attributes, AttributeValue, SpanKind, SpanStatus } from '../types.ts'

export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
}

export interface SpanEvent {
  readonly name: string
  readonly timeUnixNano: bigint
  readonly attributes: Attributes
}

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: SpanKind
  readonly service: string
  readonly startTimeUnixNano: bigint
  readonly endTimeUnixNano: bigint
  readonly status: SpanStatus
  readonly statusMessage?: string
  readonly attributes: Attributes
  readonly events: readonly SpanEvent[]
  readonly links: readonly SpanLink[]
}

/** One export request. `rejected` spans had no valid ids, or were more than a request may hold. */
export interface Decoded {
  readonly spans: readonly Span[]
  readonly rejected: number
}

/** Where a decoder puts what it reads. */
export class SpanSink implements Decoded {
  readonly spans: Span[] = []
  rejected = 0

  /** Reads a span with `read` only if there is room for one more, rejected ones counted: reading them costs as much. */
  take(service: string, read: () => SpanDraft): void {
    const isFull = this.spans.length + this.rejected >= MAX_SPANS_PER_REQUEST
    const span = isFull ? undefined : finishSpan(read(), service)
    if (span === undefined) this.rejected += 1
    else this.spans.push(span)
  }
}

/** A batch of the SDK holds 512 spans; 4 MiB of two-byte spans would be two million objects. */
export const MAX_SPANS_PER_REQUEST = 10_000
/** The SDK's own limit (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT). */
export const MAX_ATTRIBUTES = 128
export const MAX_EVENTS = 32
export const MAX_LINKS = 32
export const MAX_LIST = 64
const MAX_NAME = 256
/** Long enough for a URL or the message of an exception with its first frames. */
const MAX_TEXT = 4096

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/
/** opentelemetry.proto.trace.v1.Span.SpanKind and Status.StatusCode, by number. */
const KINDS: readonly SpanKind[] = ['internal', 'internal', 'server', 'client', 'producer', 'consumer']
const STATUSES: readonly SpanStatus[] = ['unset', 'ok', 'error']

export const isTraceId = (text: string): boolean => TRACE_ID.test(text)
const isSpanId = (text: string): boolean => SPAN_ID.test(text)

export const shortName = (text: string): string => text.slice(0, MAX_NAME)
const shortText = (text: string): string => text.slice(0, MAX_TEXT)

/** What a number cannot hold exactly stays a text. */
export const fromInt64 = (value: bigint | string): number | string =>
  Number.isSafeInteger(Number(value)) ? Number(value) : String(value)

/** A set of attributes that takes no more than MAX_ATTRIBUTES; `__proto__` is a key like any other. */
export class AttributeSet {
  readonly #entries = new Map<string, AttributeValue>()

  add(key: string, value: AttributeValue | undefined): void {
    if (value === undefined || key === '' || this.#entries.size >= MAX_ATTRIBUTES) return
    this.#entries.set(shortName(key), typeof value === 'string' ? shortText(value) : value)
  }

  get(key: string): AttributeValue | undefined {
    return this.#entries.get(key)
  }

  toObject(): Attributes {
    return Object.fromEntries(this.#entries)
  }
}

/** A span as its encoding says it; ids are hexadecimal, any case, empty for none. */
export interface SpanDraft {
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  kind: number
  start: bigint
  end: bigint
  statusCode: number
  statusMessage: string
  readonly attributes: AttributeSet
  readonly events: SpanEvent[]
  readonly links: SpanLink[]
}

export const newDraft = (): SpanDraft => ({
  traceId: '',
  spanId: '',
  parentSpanId: '',
  name: '',
  kind: 0,
  start: 0n,
  end: 0n,
  statusCode: 0,
  statusMessage: '',
  attributes: new AttributeSet(),
  events: [],
  links: [],
})

/** The finished span; undefined where an id is not one. A parent id that is not one is no parent. */
function finishSpan(draft: SpanDraft, service: string): Span | undefined {
  const traceId = draft.traceId.toLowerCase()
  const spanId = draft.spanId.toLowerCase()
  const parent = draft.parentSpanId.toLowerCase()
  if (!isTraceId(traceId) || !isSpanId(spanId)) return undefined
  return {
    traceId,
    spanId,
    ...(isSpanId(parent) && parent !== spanId && { parentSpanId: parent }),
    name: draft.name === '' ? '(no name)' : shortName(draft.name),
    kind: KINDS[draft.kind] ?? 'internal',
    service,
    startTimeUnixNano: draft.start,
    endTimeUnixNano: draft.end < draft.start ? draft.start : draft.end,
    status: STATUSES[draft.statusCode] ?? 'unset',
    ...(draft.statusMessage !== '' && { statusMessage: shortText(draft.statusMessage) }),
    attributes: draft.attributes.toObject(),
    events: draft.events,
    links: draft.links,
  }
}

/** `service.name` of the resource. */
export const serviceOf = (resource: AttributeSet): string => {
  const name = resource.get('service.name')
  return typeof name === 'string' && name !== '' ? shortName(name) : 'unknown_service'
}
