/**
 * OTLP in JSON: protobuf's JSON mapping, but ids are hexadecimal and enums are numbers (OTLP 1.x, "JSON Protobuf
 * Encoding"). Read leniently where the mapping is (64-bit numbers as text or number), never trusting a type.
 */
import type { AttributeValue } from '../types.ts'
import {
  AttributeSet,
  type Decoded,
  fromInt64,
  MAX_ATTRIBUTES,
  MAX_EVENTS,
  MAX_LINKS,
  MAX_LIST,
  newDraft,
  type SpanDraft,
  SpanSink,
  serviceOf,
  shortName,
} from './draft.ts'

type Json = Readonly<Record<string, unknown>>

/** `ExportTraceServiceRequest`. Throws a SyntaxError or a TypeError on a text that is no such message. */
export function decodeJson(body: string): Decoded {
  const request: unknown = JSON.parse(body)
  if (!isObject(request) || !Array.isArray(request.resourceSpans)) {
    throw new TypeError('expected an object with an array resourceSpans')
  }
  const sink = new SpanSink()
  for (const group of objects(request.resourceSpans)) {
    const resource = isObject(group.resource) ? readAttributes(group.resource.attributes) : new AttributeSet()
    const service = serviceOf(resource)
    for (const scope of objects(group.scopeSpans)) {
      for (const each of objects(scope.spans)) {
        sink.take(service, () => readSpan(each))
      }
    }
  }
  return sink
}

function readSpan(json: Json): SpanDraft {
  const status = isObject(json.status) ? json.status : {}
  return {
    ...newDraft(),
    traceId: text(json.traceId),
    spanId: text(json.spanId),
    parentSpanId: text(json.parentSpanId),
    name: text(json.name),
    kind: enumeration(json.kind, SPAN_KINDS),
    start: nanos(json.startTimeUnixNano),
    end: nanos(json.endTimeUnixNano),
    statusCode: enumeration(status.code, STATUS_CODES),
    statusMessage: text(status.message),
    attributes: readAttributes(json.attributes),
    events: objects(json.events)
      .slice(0, MAX_EVENTS)
      .map((event) => ({
        name: shortName(text(event.name)),
        timeUnixNano: nanos(event.timeUnixNano),
        attributes: readAttributes(event.attributes).toObject(),
      })),
    links: objects(json.links)
      .slice(0, MAX_LINKS)
      .map((link) => ({
        traceId: text(link.traceId).slice(0, 32).toLowerCase(),
        spanId: text(link.spanId).slice(0, 16).toLowerCase(),
      })),
  }
}

function readAttributes(json: unknown): AttributeSet {
  const set = new AttributeSet()
  for (const each of objects(json).slice(0, MAX_ATTRIBUTES))
    set.add(text(each.key), readValue(each.value, true))
  return set
}

/** AnyValue: an object with one member. */
function readValue(json: unknown, listAllowed: boolean): AttributeValue | undefined {
  if (!isObject(json)) return undefined
  if (typeof json.stringValue === 'string') return json.stringValue
  if (typeof json.boolValue === 'boolean') return json.boolValue
  if (typeof json.doubleValue === 'number') return json.doubleValue
  if (typeof json.intValue === 'number') return json.intValue
  if (typeof json.intValue === 'string' && INTEGER.test(json.intValue)) return fromInt64(json.intValue)
  if (!listAllowed || !isObject(json.arrayValue)) return undefined
  return objects(json.arrayValue.values)
    .slice(0, MAX_LIST)
    .flatMap((each) => readValue(each, false) ?? [])
}

const INTEGER = /^-?\d{1,19}$/
const UNSIGNED = /^\d{1,20}$/
/** The names are of protobuf's JSON mapping, which OTLP forbids and some senders use. */
const SPAN_KINDS = [
  'SPAN_KIND_UNSPECIFIED',
  'SPAN_KIND_INTERNAL',
  'SPAN_KIND_SERVER',
  'SPAN_KIND_CLIENT',
  'SPAN_KIND_PRODUCER',
  'SPAN_KIND_CONSUMER',
] as const
const STATUS_CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'] as const

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : [])

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const enumeration = (value: unknown, names: readonly string[]): number =>
  typeof value === 'number' ? value : names.indexOf(text(value))

function nanos(value: unknown): bigint {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : 0n
  return UNSIGNED.test(text(value)) ? BigInt.asUintN(64, BigInt(text(value))) : 0n
}
