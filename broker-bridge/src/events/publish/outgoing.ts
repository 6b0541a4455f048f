/** From a request to the records that it asks for: events, key, partition, timestamp, headers. */
import { randomUUID } from 'node:crypto'
import {
  type BytesOrText,
  fromHttp,
  fromHttpBatch,
  type HeaderField,
  type IncomingEvent,
  toKafka,
} from '@weft/schemas/cloudevents'
import { MeshError } from '@weft/schemas/error'
import { timestampMs } from '@weft/schemas/timestamp'
import type { OutgoingRecord } from '../produce/record.ts'
import { eventHeaders, field } from './fields.ts'

/** A record, and the id by which its publisher and its consumers know it. */
export interface OutgoingEvent {
  readonly id: string
  /** As it came, then as the schema of its topic has it. */
  record: OutgoingRecord
}

/** The records of a request, in its order. Throws MeshError `invalid_event` with every fault. */
export function outgoingEvents(
  fields: readonly string[],
  body: Buffer,
  options: { readonly isBatch: boolean; readonly traceparent: string },
): readonly OutgoingEvent[] {
  const headers = eventHeaders(fields)
  const placement = placementOf(fields)
  const passed: HeaderField<BytesOrText>[] = [['traceparent', options.traceparent]]
  for (const name of ['tracestate', 'baggage']) {
    const value = field(fields, name)
    if (value !== undefined) passed.push([name, Buffer.from(value, 'latin1')])
  }
  if (options.isBatch)
    return fromHttpBatch(headers, body).map((incoming) => outgoing(incoming, placement, passed))
  if (field(fields, 'weft-tombstone') !== undefined) return [tombstone(headers, body, placement, passed)]
  return [outgoing(fromHttp(headers, body), placement, passed)]
}

export interface Placement {
  readonly partition?: number
  readonly timestampMs?: number
}

function placementOf(fields: readonly string[]): Placement {
  const partition = field(fields, 'weft-partition')
  const timestamp = field(fields, 'weft-timestamp')
  return {
    ...(partition !== undefined && { partition: wholeNumber('weft-partition', partition) }),
    ...(timestamp !== undefined && { timestampMs: timeOf(timestamp) }),
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new MeshError(
    'invalid_event',
    `${name}: expected a whole number, came ${JSON.stringify(text.slice(0, 40))}`,
  )
}

/** The year 9999: what every client can show. */
export const LAST_TIMESTAMP_MS = 253_402_300_799_999

function timeOf(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : (timestampMs(text) ?? Number.NaN)
  if (value >= 0 && value <= LAST_TIMESTAMP_MS) return value
  throw new MeshError(
    'invalid_event',
    `weft-timestamp: expected milliseconds since 1970 or an RFC 3339 timestamp, came ${JSON.stringify(text.slice(0, 40))}`,
  )
}

/** `passed`: the trace that the record carries. */
export function outgoing(
  incoming: IncomingEvent,
  placement: Placement,
  passed: readonly HeaderField<BytesOrText>[],
): OutgoingEvent {
  const { event, key } = incoming
  const { headers, value } = toKafka(event)
  const id = event.kind === 'cloudevent' ? event.attributes.id : randomUUID()
  const all: HeaderField<BytesOrText>[] = [...headers, ...incoming.headers]
  if (event.kind === 'raw') all.push(['weft-id', id])
  all.push(...passed)
  return { id, record: { ...placement, ...(key !== undefined && { key }), value, headers: all } }
}

/** A record without a value: compaction forgets its key. */
function tombstone(
  headers: ReturnType<typeof eventHeaders>,
  body: Buffer,
  placement: Placement,
  passed: readonly HeaderField<BytesOrText>[],
): OutgoingEvent {
  const { key, headers: own } = fromHttp(headers, body)
  const faults = []
  if (headers['weft-tombstone'] !== 'true') faults.push('weft-tombstone: expected true')
  if (body.length > 0) faults.push('body: expected none with weft-tombstone')
  if (key === undefined) faults.push('weft-key: expected the key that is to be forgotten')
  if (key === undefined || faults.length > 0)
    throw new MeshError('invalid_event', `the event has faults: ${faults.join('; ')}`)
  const id = randomUUID()
  return {
    id,
    record: { ...placement, key, value: null, headers: [...own, ['weft-id', id], ...passed] },
  }
}
