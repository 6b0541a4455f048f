import { encodeHeaderValue, fromKafka, type HeaderField, toHttp } from '@weft/schemas/cloudevents'
import { parseTraceparent, type TraceContext } from '@weft/schemas/trace-context'

/** A record that has been read and waits to be delivered. */
export interface ReadRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since 1970, by the producer or the broker as the topic says. */
  readonly timestamp: bigint
  readonly key: Buffer | null
  /** null is a tombstone. */
  readonly value: Buffer | null
  readonly headers: readonly HeaderField[]
}

/** The last header of that name counts: it was appended last. */
export function headerText(record: ReadRecord, name: string): string | undefined {
  const field = record.headers.findLast(([key]) => key === name)
  return field === undefined ? undefined : Buffer.from(field[1]).toString('latin1')
}

export const traceOf = (record: ReadRecord): TraceContext | undefined =>
  parseTraceparent(headerText(record, 'traceparent'))

/** Written anew for each delivery, or passed in a form of its own. */
const NOT_FORWARDED = new Set(['traceparent', 'tracestate', 'baggage'])
/** RFC 9110 token: what can follow `weft-header-` in a header name. */
const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/
const HEADER_VALUE = /^[\x20-\x7e]*$/

/**
 * The request that the app gets, but for what changes with each attempt: a CloudEvent in binary mode, any other record as its
 * bytes; key and further headers percent-encoded. A header whose name cannot stand in HTTP is left out.
 */
export function toRequest(record: ReadRecord): {
  readonly headers: Record<string, string>
  readonly body: Uint8Array
} {
  const { event, rest } = fromKafka(record.headers, record.value ?? new Uint8Array())
  const { headers: eventHeaders, body } = toHttp(event)
  const headers: Record<string, string> = {
    ...eventHeaders,
    'weft-topic': record.topic,
    'weft-partition': String(record.partition),
    'weft-offset': String(record.offset),
  }
  if (record.key !== null) headers['weft-key'] = encodeHeaderValue(record.key)
  if (record.value === null) headers['weft-tombstone'] = 'true'
  for (const [name, value] of rest) {
    const lower = name.toLowerCase()
    if (NOT_FORWARDED.has(lower)) continue
    // The id that the publisher was told is the consumer's to recognise a repetition by.
    if (lower === 'weft-id') headers['weft-id'] = encodeHeaderValue(value)
    else if (TOKEN.test(lower)) headers[`weft-header-${lower}`] = encodeHeaderValue(value)
  }
  for (const name of ['tracestate', 'baggage']) {
    const text = headerText(record, name)
    if (text !== undefined && HEADER_VALUE.test(text)) headers[name] = text
  }
  return { headers, body }
}
