/** Events of topics that have a schema; all others go by untouched. */
import type { BytesOrText, HeaderField } from '@weft/schemas/cloudevents'
import { MeshError } from '@weft/schemas/error'
import type { TopicEntry, TopicSchema } from '@weft/schemas/snapshot'
import { codecOf } from '../schema/index.ts'
import type { ReadRecord } from './deliver/record.ts'
import type { OutgoingRecord } from './produce/record.ts'

/** RFC 8259, or the suffix that RFC 6839 registers for it. */
const JSON_TYPE = /^application\/(?:[^;]+\+)?json(?:\s*;|$)/i
const CONTENT_TYPE = 'content-type'
const AVRO = 'application/avro'

/**
 * The record as it is stored: JSON is checked, and written as the schema says; what is in the Confluent wire format already is checked and stays.
 * Throws MeshError `schema_mismatch`, or `unsupported_media_type` for what is neither. `which` names the event.
 */
export function bySchema<R extends OutgoingRecord>({ name, schema }: TopicEntry, record: R, which = ''): R {
  if (schema === undefined || record.value === null) return record
  const codec = codecOf(schema)
  const value = bytesOf(record.value)
  const contentType = textOf(record.headers.find(([header]) => header === CONTENT_TYPE)?.[1])
  if (contentType === undefined || JSON_TYPE.test(contentType)) {
    const stored = located(which, () => codec.encode(value))
    return { ...record, value: stored, ...(codec.isBinary && { headers: typed(record.headers, AVRO) }) }
  }
  if (!codec.isFramed(value))
    throw new MeshError(
      'unsupported_media_type',
      `${which}topic ${name} has a schema: expected application/json, or the Confluent wire format; came ${JSON.stringify(contentType.slice(0, 80))}`,
    )
  located(which, () => codec.decode(value))
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

function located<T>(which: string, what: () => T): T {
  try {
    return what()
  } catch (thrown) {
    const code = thrown instanceof MeshError ? thrown.code : 'schema_mismatch'
    throw new MeshError(code, which + (thrown instanceof Error ? thrown.message : String(thrown)))
  }
}

const typed = <V>(headers: readonly HeaderField<V>[], type: V): readonly HeaderField<V>[] => [
  [CONTENT_TYPE, type],
  ...headers.filter(([name]) => name !== CONTENT_TYPE),
]

const bytesOf = (value: BytesOrText): Buffer =>
  typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.length)

const textOf = (value: BytesOrText | undefined): string | undefined =>
  value === undefined ? undefined : typeof value === 'string' ? value : bytesOf(value).toString('latin1')
