/** Events of topics that have a schema; all others go by untouched. */
import type { BytesOrText, HeaderField } from '@weft/schemas/cloudevents'
import { MeshError } from '@weft/schemas/error'
import type { TopicEntry, TopicSchema } from '@weft/schemas/snapshot'
import { codecOf } from '../schema/index.ts'
import { UnreadableError } from '../schema/unreadable.ts'
import type { ReadRecord } from './deliver/record.ts'
import { isJsonType } from './json-type.ts'
import type { OutgoingRecord } from './produce/record.ts'

const CONTENT_TYPE = 'content-type'
const AVRO = 'application/avro'

/**
 * The record as it is stored: JSON is checked, and written as the schema says; what is in the Confluent wire format already is checked and stays.
 * Throws MeshError `schema_mismatch`, or `unsupported_media_type` for what is neither. `which` names the event, as for checkRecordSize.
 */
export function bySchema<R extends OutgoingRecord>(
  { name, schema }: TopicEntry,
  record: R,
  which: string,
): R {
  if (schema === undefined || record.value === null) return record
  const codec = codecOf(schema)
  const value = bytesOf(record.value)
  const contentType = textOf(record.headers.find(([header]) => header === CONTENT_TYPE)?.[1])
  if (contentType === undefined || isJsonType(contentType)) {
    const stored = codec.encode(value, which)
    return { ...record, value: stored, ...(codec.isBinary && { headers: typed(record.headers, AVRO) }) }
  }
  if (!codec.isFramed(value))
    throw new MeshError(
      'unsupported_media_type',
      `topic ${name} has a schema: expected application/json, or the Confluent wire format; ${which} is ${JSON.stringify(contentType.slice(0, 80))}`,
    )
  try {
    codec.check(value)
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    throw new MeshError('schema_mismatch', `${which} ${error.message}`)
  }
  return record
}

/** The record as the app gets it: its value as JSON. What is not in the wire format is as it came. Throws UnreadableError. */
export function readBySchema(schema: TopicSchema | undefined, record: ReadRecord): ReadRecord {
  if (schema === undefined || record.value === null) return record
  const codec = codecOf(schema)
  if (!codec.isFramed(record.value)) return record
  const headers = typed(record.headers, Buffer.from('application/json'))
  return { ...record, value: codec.decode(record.value), headers }
}

const typed = <V>(headers: readonly HeaderField<V>[], type: V): readonly HeaderField<V>[] => [
  [CONTENT_TYPE, type],
  ...headers.filter(([name]) => name !== CONTENT_TYPE),
]

const bytesOf = (value: BytesOrText): Buffer =>
  typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.length)

const textOf = (value: BytesOrText | undefined): string | undefined =>
  value === undefined ? undefined : typeof value === 'string' ? value : bytesOf(value).toString('latin1')
