/**
 * OTLP in protobuf, opentelemetry-proto 1.x (trace/v1/trace.proto, common/v1/common.proto). Read by hand, not by
 * generated code: generated code makes an object of each message before anybody can count, and an empty span is
 * two bytes. What is not needed (scopes, flags, trace state) is skipped unread.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import type { AttributeValue } from '../types.ts'
import {
  AttributeSet,
  type Decoded,
  fromInt64,
  MAX_EVENTS,
  MAX_LINKS,
  MAX_LIST,
  MAX_SPANS_PER_REQUEST,
  newDraft,
  type SpanDraft,
  type SpanEvent,
  type SpanLink,
  SpanSink,
  serviceOf,
  shortName,
} from './draft.ts'

/** `ExportTraceServiceRequest`. Throws a RangeError or an Error on bytes that are no such message. */
export function decodeBinary(body: Uint8Array): Decoded {
  const sink = new SpanSink()
  eachField(body, (tag, reader) => {
    if (tag !== text(1)) return false
    readResourceSpans(reader.bytes(), sink)
    return true
  })
  return sink
}

function readResourceSpans(bytes: Uint8Array, sink: SpanSink): void {
  const resource = new AttributeSet()
  const scopes: Uint8Array[] = []
  eachField(bytes, (tag, reader) => {
    if (tag === text(1)) readResource(reader.bytes(), resource)
    // A scope for each span is as many as there can be with something in them.
    else if (tag === text(2) && scopes.length < MAX_SPANS_PER_REQUEST) scopes.push(reader.bytes())
    else return false
    return true
  })

  const service = serviceOf(resource)
  for (const scope of scopes) {
    eachField(scope, (tag, reader) => {
      if (tag !== text(2)) return false
      const message = reader.bytes()
      sink.take(service, () => readSpan(message))
      return true
    })
  }
}

function readSpan(bytes: Uint8Array): SpanDraft {
  const draft = newDraft()
  eachField(bytes, (tag, reader) => {
    switch (tag) {
      case text(1):
        draft.traceId = hex(reader.bytes())
        return true
      case text(2):
        draft.spanId = hex(reader.bytes())
        return true
      case text(4):
        draft.parentSpanId = hex(reader.bytes())
        return true
      case text(5):
        draft.name = reader.string()
        return true
      case number(6):
        draft.kind = reader.int32()
        return true
      case time(7):
        draft.start = BigInt(reader.fixed64())
        return true
      case time(8):
        draft.end = BigInt(reader.fixed64())
        return true
      case text(9):
        readKeyValue(reader.bytes(), draft.attributes)
        return true
      case text(11):
        if (draft.events.length >= MAX_EVENTS) return false
        draft.events.push(readEvent(reader.bytes()))
        return true
      case text(13):
        if (draft.links.length >= MAX_LINKS) return false
        draft.links.push(readLink(reader.bytes()))
        return true
      case text(15):
        readStatus(reader.bytes(), draft)
        return true
      default:
        return false
    }
  })
  return draft
}

function readEvent(bytes: Uint8Array): SpanEvent {
  let timeUnixNano = 0n
  let name = ''
  const attributes = new AttributeSet()
  eachField(bytes, (tag, reader) => {
    if (tag === time(1)) timeUnixNano = BigInt(reader.fixed64())
    else if (tag === text(2)) name = shortName(reader.string())
    else if (tag === text(3)) readKeyValue(reader.bytes(), attributes)
    else return false
    return true
  })
  return { name, timeUnixNano, attributes: attributes.toObject() }
}

function readLink(bytes: Uint8Array): SpanLink {
  let traceId = ''
  let spanId = ''
  eachField(bytes, (tag, reader) => {
    if (tag === text(1)) traceId = hex(reader.bytes())
    else if (tag === text(2)) spanId = hex(reader.bytes())
    else return false
    return true
  })
  return { traceId, spanId }
}

function readStatus(bytes: Uint8Array, draft: SpanDraft): void {
  eachField(bytes, (tag, reader) => {
    if (tag === text(2)) draft.statusMessage = reader.string()
    else if (tag === number(3)) draft.statusCode = reader.int32()
    else return false
    return true
  })
}

/** The attributes of a Resource. */
function readResource(bytes: Uint8Array, into: AttributeSet): void {
  eachField(bytes, (tag, reader) => {
    if (tag !== text(1)) return false
    readKeyValue(reader.bytes(), into)
    return true
  })
}

function readKeyValue(bytes: Uint8Array, into: AttributeSet): void {
  let key = ''
  let value: AttributeValue | undefined
  eachField(bytes, (tag, reader) => {
    if (tag === text(1)) key = reader.string()
    else if (tag === text(2)) value = readValue(reader.bytes(), true)
    else return false
    return true
  })
  into.add(key, value)
}

/** AnyValue. Attributes of spans are scalars and lists of scalars (OpenTelemetry, "Attribute"): nothing nests deeper. */
function readValue(bytes: Uint8Array, listAllowed: boolean): AttributeValue | undefined {
  let value: AttributeValue | undefined
  eachField(bytes, (tag, reader) => {
    if (tag === text(1)) value = reader.string()
    else if (tag === number(2)) value = reader.bool()
    else if (tag === number(3)) value = fromInt64(reader.int64())
    else if (tag === time(4)) value = reader.double()
    else if (tag === text(5) && listAllowed) value = readList(reader.bytes())
    else if (tag === text(7)) value = `${reader.bytes().length} bytes`
    else return false
    return true
  })
  return value
}

function readList(bytes: Uint8Array): readonly AttributeValue[] {
  const list: AttributeValue[] = []
  eachField(bytes, (tag, reader) => {
    if (tag !== text(1) || list.length >= MAX_LIST) return false
    const value = readValue(reader.bytes(), false)
    if (value !== undefined) list.push(value)
    return true
  })
  return list
}

const hex = (bytes: Uint8Array): string => (bytes.length > 16 ? '' : Buffer.from(bytes).toString('hex'))

/** Number and wire type of a field, as its tag carries them: a field of another type than expected is an unknown one. */
const text = (field: number): number => (field << 3) | WireType.LengthDelimited
const number = (field: number): number => (field << 3) | WireType.Varint
const time = (field: number): number => (field << 3) | WireType.Bit64

/** Calls `read` for each field; where it answers false, the field is skipped. */
function eachField(bytes: Uint8Array, read: (tag: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (!read((field << 3) | wireType, reader)) reader.skip(wireType, field)
  }
}
