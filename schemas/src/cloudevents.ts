/**
 * CloudEvents 1.0 in its HTTP and Kafka protocol bindings. Pure: bytes and names in, bytes and names out.
 * A body that is no CloudEvent is an event too (`raw`): its bytes and its content type go through untouched,
 * nobody is forced into an envelope.
 */

import { checkAttributes } from './cloudevents-attributes.ts'
import { type CloudEventAttributes, readBatch, readStructured } from './cloudevents-json.ts'
import { MeshError } from './error.ts'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts'

export type { CloudEventAttributes }
export { decodeHeaderValue, encodeHeaderValue }

export interface CloudEvent<Data = Uint8Array> {
  readonly kind: 'cloudevent'
  readonly attributes: CloudEventAttributes
  readonly contentType?: string
  readonly data: Data
}

/** Any other body, with the content type it came with. */
export interface RawEvent<Data = Uint8Array> {
  readonly kind: 'raw'
  readonly contentType?: string
  readonly data: Data
}

export type AnyEvent<Data = Uint8Array> = CloudEvent<Data> | RawEvent<Data>
export type HeaderField<Value = Uint8Array> = readonly [name: string, value: Value]
/** What is on its way into a record: a text is written there as UTF-8, and needs no bytes of its own before. */
export type BytesOrText = Uint8Array | string

/** HTTP headers as Node gives them: names in lower case, values as Latin-1 text. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** What one publish request carries. */
export interface IncomingEvent {
  readonly event: AnyEvent<BytesOrText>
  /** Record key: `weft-key`, else the `partitionkey` extension. */
  readonly key?: Uint8Array
  /** Further record headers, from `weft-header-<name>`. */
  readonly headers: readonly HeaderField[]
}

const STRUCTURED_TYPE = 'application/cloudevents+json'
const BATCH_TYPE = 'application/cloudevents-batch+json'
const ATTRIBUTE_NAME = /^[a-z0-9]+$/
const PREFIX_HTTP = 'ce-'
const PREFIX_KAFKA = 'ce_'
const PREFIX_RECORD_HEADER = 'weft-header-'
/** Record headers that the sidecar writes itself. */
const RESERVED_RECORD_HEADER = /^(?:content-type|traceparent|tracestate|baggage|ce_.*|weft-.*)$/

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a publish request (HTTP binding 3.1 binary, 3.2 structured; everything else is a raw event).
 * Throws MeshError `invalid_event` whose message lists every fault.
 */
export function fromHttp(headers: HttpHeaders, body: Uint8Array): IncomingEvent {
  const faults: string[] = []
  const contentType = single(headers['content-type'])
  const media = mediaType(contentType)
  const fields = collectFields(headers, faults)
  let event: AnyEvent<BytesOrText>
  if (media === STRUCTURED_TYPE) {
    event = { kind: 'cloudevent', ...readStructured(body, faults) }
  } else if (media.startsWith('application/cloudevents')) {
    faults.push(`content-type: expected ${STRUCTURED_TYPE} or ${BATCH_TYPE}, came ${media}`)
    event = { kind: 'raw', data: body }
  } else if (
    fields.attributes.size > 0 &&
    !(fields.attributes.size === 1 && fields.attributes.has('partitionkey'))
  ) {
    event = {
      kind: 'cloudevent',
      attributes: fromEntries(fields.attributes),
      ...withType(contentType),
      data: body,
    }
  } else {
    event = { kind: 'raw', ...withType(contentType), data: body }
  }
  if (event.kind === 'cloudevent') checkAttributes(event.attributes, faults)
  throwFaults(faults, 'event')
  const partitionKey =
    event.kind === 'cloudevent' ? event.attributes.partitionkey : fields.attributes.get('partitionkey')
  const key = fields.key ?? (partitionKey === undefined ? undefined : encoder.encode(partitionKey))
  return { event, ...(key !== undefined && { key }), headers: fields.recordHeaders }
}

/** True where the body is a batch (HTTP binding 3.3): for `fromHttpBatch`. */
export const isBatch = (contentType: string | undefined): boolean => mediaType(contentType) === BATCH_TYPE

/**
 * Reads a batch of CloudEvents (JSON event format, section 4). `weft-header-<name>` holds for each event, `weft-key` for
 * those without a `partitionkey`. Throws MeshError `invalid_event` whose message lists every fault with the event's index.
 */
export function fromHttpBatch(headers: HttpHeaders, body: Uint8Array): readonly IncomingEvent[] {
  const faults: string[] = []
  const { attributes, key, recordHeaders } = collectFields(headers, faults)
  if (attributes.size > 0) faults.push('ce-: expected no attributes in the head of a batch')
  const events = readBatch(body, faults).map(({ event, faults: own }, index): IncomingEvent => {
    if (own.length === 0) checkAttributes(event.attributes, own)
    for (const fault of own) faults.push(`[${index}].${fault}`)
    const { partitionkey } = event.attributes
    const ownKey = partitionkey === undefined ? key : encoder.encode(partitionkey)
    return {
      event: { kind: 'cloudevent', ...event },
      ...(ownKey !== undefined && { key: ownKey }),
      headers: recordHeaders,
    }
  })
  throwFaults(faults, 'batch')
  return events
}

/** An event as a message says it (weft.events.v1.Event). */
export interface EventMessage {
  /** Context attributes but for `datacontenttype`; none: the data is a raw event. `specversion` is 1.0 where absent. */
  readonly attributes: Readonly<Record<string, string>>
  /** Empty: unknown. */
  readonly contentType: string
  readonly data: Uint8Array
  readonly key?: Uint8Array | undefined
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array }[]
}

/** Reads such a message by the rules of HTTP's binary mode. Throws MeshError `invalid_event` whose message lists every fault. */
export function fromMessage(message: EventMessage): IncomingEvent {
  const faults: string[] = []
  const attributes = new Map(Object.entries(message.attributes))
  for (const name of attributes.keys()) {
    if (!ATTRIBUTE_NAME.test(name)) faults.push(`attributes: expected letters a-z and digits, came ${name}`)
    else if (name === 'datacontenttype') faults.push('attributes: datacontenttype goes in content_type')
  }
  const headers = message.headers.map(({ name, value }): HeaderField => {
    if (name === '' || RESERVED_RECORD_HEADER.test(name.toLowerCase()))
      faults.push(`headers: expected the name of a record header of your own, came ${JSON.stringify(name)}`)
    return [name, value]
  })
  const content = { ...withType(message.contentType || undefined), data: message.data }
  let event: AnyEvent = { kind: 'raw', ...content }
  if (attributes.size > 0) {
    if (!attributes.has('specversion')) attributes.set('specversion', '1.0')
    event = { kind: 'cloudevent', attributes: fromEntries(attributes), ...content }
    checkAttributes(event.attributes, faults)
  }
  throwFaults(faults, 'event')
  const { partitionkey } = message.attributes
  const key = message.key ?? (partitionkey === undefined ? undefined : encoder.encode(partitionkey))
  return { event, ...(key !== undefined && { key }), headers }
}

/** More would be read by nobody. */
const MAX_FAULTS = 50

function throwFaults(faults: readonly string[], what: 'event' | 'batch'): void {
  if (faults.length === 0) return
  const list = faults.length === 1 ? 'a fault' : `${faults.length} faults`
  const shown = faults.slice(0, MAX_FAULTS).join('; ')
  throw new MeshError('invalid_event', `the ${what} has ${list}: ${shown}`)
}

/** Kafka binding 3.2 (binary mode): attributes as `ce_` headers, `content-type`, the data as value. */
export function toKafka<Data>(event: AnyEvent<Data>): {
  readonly headers: readonly HeaderField<string>[]
  readonly value: Data
} {
  const headers: HeaderField<string>[] = []
  if (event.kind === 'cloudevent') {
    const { attributes } = event
    for (const name of Object.keys(attributes))
      headers.push([PREFIX_KAFKA + name, attributes[name] as string])
  }
  if (event.contentType !== undefined) headers.push(['content-type', event.contentType])
  return { headers, value: event.data }
}

/**
 * Reads a record. Never throws: whoever wrote it, it has to be delivered. A record with a `ce_` header is a CloudEvent with
 * the attributes that it has, and so is one of structured mode, as far as it is one. `rest` is every other header.
 */
export function fromKafka(
  headers: readonly HeaderField[],
  value: Uint8Array,
): { readonly event: AnyEvent; readonly rest: readonly HeaderField[] } {
  const attributes = new Map<string, string>()
  const rest: HeaderField[] = []
  let contentType: string | undefined
  for (const field of headers) {
    const name = field[0].toLowerCase()
    const attribute = name.startsWith(PREFIX_KAFKA) ? name.slice(PREFIX_KAFKA.length) : ''
    if (ATTRIBUTE_NAME.test(attribute)) attributes.set(attribute, lenientText(field[1]))
    else if (name === 'content-type') contentType ??= lenientText(field[1])
    else rest.push(field)
  }
  const structured = mediaType(contentType) === STRUCTURED_TYPE ? structuredEvent(value) : undefined
  if (structured !== undefined) return { event: structured, rest }
  const event: AnyEvent =
    attributes.size > 0
      ? { kind: 'cloudevent', attributes: fromEntries(attributes), ...withType(contentType), data: value }
      : { kind: 'raw', ...withType(contentType), data: value }
  return { event, rest }
}

/** Kafka binding 3.3 (structured mode); undefined where the value is not what its content type says: it is delivered as it is then. */
function structuredEvent(value: Uint8Array): AnyEvent | undefined {
  const faults: string[] = []
  const { data, ...event } = readStructured(value, faults)
  if (faults.length === 0) checkAttributes(event.attributes, faults)
  if (faults.length > 0) return undefined
  return { kind: 'cloudevent', ...event, data: typeof data === 'string' ? encoder.encode(data) : data }
}

/** HTTP binding 3.1 (binary mode); a raw event is its body with its content type (`application/octet-stream` where unknown). */
export function toHttp(event: AnyEvent): {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
} {
  const headers: Record<string, string> = {}
  if (event.kind === 'cloudevent') {
    for (const [name, value] of Object.entries(event.attributes))
      headers[PREFIX_HTTP + name] = encodeHeaderValue(encoder.encode(value))
  }
  const contentType = event.contentType
  // An event without data has no type of it: a header would give it one.
  if (contentType === undefined && event.kind === 'cloudevent' && event.data.length === 0)
    return { headers, body: event.data }
  // A record's content type was written by anybody: what is no header value must not break the delivery.
  headers['content-type'] =
    contentType !== undefined && /^[\x21-\x7e][\x20-\x7e]*$/.test(contentType)
      ? contentType
      : 'application/octet-stream'
  return { headers, body: event.data }
}

interface Fields {
  readonly attributes: Map<string, string>
  readonly recordHeaders: HeaderField[]
  readonly key: Uint8Array | undefined
}

function collectFields(headers: HttpHeaders, faults: string[]): Fields {
  const attributes = new Map<string, string>()
  const recordHeaders: HeaderField[] = []
  let key: Uint8Array | undefined
  for (const [name, raw] of Object.entries(headers)) {
    const value = single(raw)
    if (value === undefined) continue
    if (name === 'weft-key') key = decodeHeaderValue(value)
    else if (name.startsWith(PREFIX_HTTP)) readAttribute(name, value, attributes, faults)
    else if (name.startsWith(PREFIX_RECORD_HEADER)) {
      const header = name.slice(PREFIX_RECORD_HEADER.length)
      if (header === '' || RESERVED_RECORD_HEADER.test(header))
        faults.push(`${name}: expected the name of a record header of your own, came one that is reserved`)
      else recordHeaders.push([header, decodeHeaderValue(value)])
    }
  }
  return { attributes, recordHeaders, key }
}

function readAttribute(header: string, raw: string, into: Map<string, string>, faults: string[]): void {
  const name = header.slice(PREFIX_HTTP.length)
  if (!ATTRIBUTE_NAME.test(name)) {
    faults.push(`${header}: expected letters a-z and digits after ce-`)
  } else if (name === 'datacontenttype') {
    faults.push(`${header}: in binary mode the content type goes in the Content-Type header`)
  } else {
    try {
      into.set(name, decoder.decode(decodeHeaderValue(raw)))
    } catch {
      faults.push(`${header}: expected UTF-8, percent-encoded`)
    }
  }
}

const mediaType = (contentType: string | undefined): string =>
  (contentType?.split(';', 1)[0] ?? '').trim().toLowerCase()

const withType = (contentType: string | undefined) => (contentType === undefined ? {} : { contentType })

/** Node joins repeated headers with commas, except for the few that it lists as arrays. */
const single = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'object' ? value.join(', ') : value

// What is missing was or will be reported by checkAttributes (HTTP), or is delivered as it is (Kafka).
const fromEntries = (attributes: ReadonlyMap<string, string>): CloudEventAttributes =>
  Object.fromEntries(attributes) as unknown as CloudEventAttributes

const lenient = new TextDecoder('utf-8')
const lenientText = (bytes: Uint8Array): string => lenient.decode(bytes)
