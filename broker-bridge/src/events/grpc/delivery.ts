import { create } from '@bufbuild/protobuf'
import { fromKafka } from '@weft/schemas/cloudevents'
import { type Delivery, DeliverySchema } from '@weft/schemas/proto'
import type { Attempt } from '../deliver/receiver.ts'
import { headerText } from '../deliver/record.ts'

/** What the caller gets of a record: all of it, a CloudEvent's attributes apart from its other headers. */
export function deliveryOf(delivery: bigint, { record, attempt, traceparent }: Attempt): Delivery {
  const { event, rest } = fromKafka(record.headers, record.value ?? new Uint8Array())
  const isTrace = (name: string) => ['traceparent', 'tracestate', 'baggage'].includes(name.toLowerCase())
  return create(DeliverySchema, {
    delivery,
    offset: record.offset,
    attempt,
    event: {
      topic: record.topic,
      partition: record.partition,
      timestampMs: record.timestamp,
      attributes: event.kind === 'cloudevent' ? { ...event.attributes } : {},
      contentType: event.contentType ?? '',
      headers: rest.filter(([name]) => !isTrace(name)).map(([name, value]) => ({ name, value })),
      traceparent,
      tracestate: headerText(record, 'tracestate') ?? '',
      baggage: headerText(record, 'baggage') ?? '',
      ...(record.key !== null && { key: record.key }),
      ...(record.value !== null && { data: record.value }),
    },
  })
}
