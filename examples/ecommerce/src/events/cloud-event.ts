/**
 * CloudEvents 1.0 in binary mode, in both of its bindings: attributes as HTTP headers (`ce-id`) or as
 * Kafka record headers (`ce_id`), the data as JSON in the body.
 */

/** Attributes that are missing, or data that does not fit its schema: no retry makes it better. */
export class InvalidEventError extends Error {}

export interface CloudEvent<Data> {
  /** Stays the same when the event is sent again: source and id together name it. */
  readonly id: string
  readonly source: string
  readonly type: string
  /** What the event is about: here the order's id, which is the record's key too. */
  readonly subject: string
  /** RFC 3339. */
  readonly time: string
  readonly data: Data
}

const MAX_ATTRIBUTE_LENGTH = 1024

/** Headers of `POST /v1/topics/{topic}/events`; `ce-partitionkey` becomes the record's key. */
export function toHttpHeaders(event: CloudEvent<unknown>): Record<string, string> {
  return {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': event.id,
    'ce-source': event.source,
    'ce-type': event.type,
    'ce-subject': event.subject,
    'ce-time': event.time,
    'ce-partitionkey': event.subject,
  }
}

/** Headers of a record that a Kafka client of the app's own writes. */
export function toKafkaHeaders(event: CloudEvent<unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(toHttpHeaders(event)).map(([name, value]) => [name.replace(/^ce-/, 'ce_'), value]),
  )
}

/** From the headers and the parsed body of a push delivery. Throws InvalidEventError. */
export const fromHttp = (headers: Readonly<Record<string, unknown>>, data: unknown): CloudEvent<unknown> =>
  fromAttributes((name) => headers[`ce-${name}`], data)

/** From the headers and the value of a Kafka record. Throws InvalidEventError. */
export function fromKafka(
  headers: Readonly<Record<string, unknown>>,
  value: Buffer | null,
): CloudEvent<unknown> {
  return fromAttributes((name) => headers[`ce_${name}`], parseJson(value))
}

function parseJson(value: Buffer | null): unknown {
  if (value === null) throw new InvalidEventError('the record has no value')
  try {
    return JSON.parse(value.toString()) as unknown
  } catch (error) {
    throw new InvalidEventError('the value of the record is not JSON', { cause: error })
  }
}

function fromAttributes(attribute: (name: string) => unknown, data: unknown): CloudEvent<unknown> {
  const text = (name: string): string | undefined => {
    const value = attribute(name)
    return typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : undefined
  }
  const required = (name: string): string => {
    const value = text(name)
    if (value === undefined || value === '' || value.length > MAX_ATTRIBUTE_LENGTH)
      throw new InvalidEventError(
        `CloudEvents attribute ${name}: expected 1 to ${MAX_ATTRIBUTE_LENGTH} characters, came ${value?.length ?? 'nothing'}`,
      )
    return value
  }
  const version = required('specversion')
  if (version !== '1.0') throw new InvalidEventError(`CloudEvents specversion: expected 1.0, came ${version}`)
  return {
    id: required('id'),
    source: required('source'),
    type: required('type'),
    subject: text('subject') ?? '',
    time: text('time') ?? '',
    data,
  }
}
