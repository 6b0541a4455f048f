import { randomUUID } from 'node:crypto'
import { type BytesOrText, fromMessage, type HeaderField } from '@weft/schemas/cloudevents'
import { MeshError } from '@weft/schemas/error'
import type { Event } from '@weft/schemas/proto'
import { LAST_TIMESTAMP_MS, type OutgoingEvent, outgoing, type Placement } from '../publish/outgoing.ts'

/** The record that a message asks for. Throws MeshError `invalid_event` with every fault. */
export function outgoingEvent(event: Event, traceparent: string): OutgoingEvent {
  const passed: HeaderField<BytesOrText>[] = [['traceparent', traceparent]]
  if (event.tracestate !== '') passed.push(['tracestate', event.tracestate])
  if (event.baggage !== '') passed.push(['baggage', event.baggage])
  const { data } = event
  if (data === undefined) return tombstone(event, passed)
  return outgoing(fromMessage({ ...event, data }), placementOf(event), passed)
}

/** A record without a value: compaction forgets its key. */
function tombstone(event: Event, passed: readonly HeaderField<BytesOrText>[]): OutgoingEvent {
  const { key, headers } = fromMessage({ ...event, data: new Uint8Array() })
  const faults = []
  if (key === undefined) faults.push('key: expected the key that is to be forgotten')
  if (Object.keys(event.attributes).length > 0) faults.push('attributes: expected none without data')
  if (key === undefined || faults.length > 0)
    throw new MeshError('invalid_event', `the event has faults: ${faults.join('; ')}`)
  const id = randomUUID()
  const all = [...headers, ['weft-id', id] as const, ...passed]
  return { id, record: { ...placementOf(event), key, value: null, headers: all } }
}

function placementOf({ partition, timestampMs }: Event): Placement {
  if (partition !== undefined && partition < 0)
    throw new MeshError('invalid_event', `partition: expected a whole number, came ${partition}`)
  if (timestampMs !== undefined && (timestampMs < 0n || timestampMs > LAST_TIMESTAMP_MS))
    throw new MeshError('invalid_event', `timestamp_ms: expected 0 to ${LAST_TIMESTAMP_MS}`)
  return {
    ...(partition !== undefined && { partition }),
    ...(timestampMs !== undefined && { timestampMs: Number(timestampMs) }),
  }
}
