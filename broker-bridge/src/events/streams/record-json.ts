import { type AnyEvent, fromKafka } from '@weft/schemas/cloudevents'
import type { Attempt } from '../deliver/receiver.ts'
import { isJsonType } from '../json-type.ts'

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/**
 * A delivery as one JSON object. A CloudEvent is `event`, in the JSON event format (CloudEvents 1.0); any other record has `contentType`, and
 * its value in `data` where that is JSON, else in `data_base64`. A tombstone has neither. Keys and headers are texts.
 */
export function recordJson({ record, attempt, traceparent }: Attempt): string {
  const { event, rest } = fromKafka(record.headers, record.value ?? new Uint8Array())
  const { topic, partition, offset, timestamp, key, value } = record
  const headers = Object.fromEntries(rest.map(([name, bytes]) => [name, Buffer.from(bytes).toString()]))
  const about = {
    topic,
    partition,
    offset: String(offset),
    timestamp: new Date(Number(timestamp)).toISOString(),
    attempt,
    ...(key !== null && { key: key.toString() }),
    headers: { ...headers, traceparent },
  }
  const content = value === null ? {} : contentOf(event)
  if (event.kind === 'raw')
    return JSON.stringify({
      ...about,
      ...(event.contentType !== undefined && { contentType: event.contentType }),
      ...content,
    })
  return JSON.stringify({
    ...about,
    event: {
      ...event.attributes,
      ...(event.contentType !== undefined && { datacontenttype: event.contentType }),
      ...content,
    },
  })
}

function contentOf({ contentType = '', data }: AnyEvent): Readonly<Record<string, unknown>> {
  if (isJsonType(contentType)) {
    try {
      return { data: JSON.parse(UTF8.decode(data)) }
    } catch {
      // Whoever wrote it, it has to be delivered: what says that it is JSON and is not goes as bytes.
    }
  }
  return { data_base64: Buffer.from(data).toString('base64') }
}
