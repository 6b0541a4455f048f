/** The records of the log, in the form of the Confluent Schema Registry: one can go on with the log of the other. */
import type { CompatibilityLevel } from '@weft/schemas/event-schema'
import { isLevel, isSchemaType, type SchemaReference, type SchemaVersion, type Subjects } from './subjects.ts'

/** A tombstone has no value. */
export interface LogRecord {
  readonly key: string
  readonly value: string | null
}

export const versionRecord = ({
  subject,
  version,
  id,
  type,
  text,
  references,
  isDeleted,
}: SchemaVersion): LogRecord => ({
  key: schemaKey(subject, version),
  value: JSON.stringify({
    subject,
    version,
    id,
    // AVRO is not said, as it was not when there was nothing else.
    ...(type !== 'AVRO' && { schemaType: type }),
    ...(references.length > 0 && { references }),
    schema: text,
    deleted: isDeleted,
  }),
})

export const removalRecord = ({ subject, version }: SchemaVersion): LogRecord => ({
  key: schemaKey(subject, version),
  value: null,
})

export const levelRecord = (
  subject: string | undefined,
  level: CompatibilityLevel | undefined,
): LogRecord => ({
  key: JSON.stringify({ keytype: 'CONFIG', subject: subject ?? null, magic: 0 }),
  value: level === undefined ? null : JSON.stringify({ subject: subject ?? null, compatibilityLevel: level }),
})

const schemaKey = (subject: string, version: number): string =>
  JSON.stringify({ keytype: 'SCHEMA', subject, version, magic: 1 })

/** Takes a record of the log over. Throws Error where it is none that could be understood. */
export function applyRecord(subjects: Subjects, keyBytes: Buffer | null, valueBytes: Buffer | null): void {
  const key = objectOf(keyBytes)
  const value = valueBytes === null ? undefined : objectOf(valueBytes)
  if (key.keytype === 'SCHEMA') applyVersion(subjects, key, value)
  else if (key.keytype === 'CONFIG') applyLevel(subjects, key.subject, value?.compatibilityLevel)
  else if (key.keytype === 'DELETE_SUBJECT' && value !== undefined) applyDeletion(subjects, value)
  // What else Confluent's registry writes (NOOP, MODE, CONTEXT) says nothing about schemas.
}

type Fields = Readonly<Record<string, unknown>>

function applyVersion(subjects: Subjects, { subject, version }: Fields, value: Fields | undefined): void {
  if (typeof subject !== 'string' || !isNumber(version))
    throw new Error('expected a subject and a version in the key')
  if (value === undefined) {
    subjects.remove({ subject, version })
    return
  }
  const { id, schema, schemaType: type = 'AVRO', references, deleted } = value
  if (!isNumber(id) || typeof schema !== 'string') throw new Error('expected an id and a schema')
  // Of a type that is not known here, too: its id is in records.
  subjects.reserve(id)
  if (!isSchemaType(type)) throw new Error(`expected AVRO or JSON, came ${JSON.stringify(type)}`)
  subjects.put({
    ...{ subject, version, id, type, text: schema },
    references: referencesOf(references),
    isDeleted: deleted === true,
  })
}

function applyLevel(subjects: Subjects, subject: unknown, level: unknown): void {
  subjects.setLevel(typeof subject === 'string' ? subject : undefined, isLevel(level) ? level : undefined)
}

function applyDeletion(subjects: Subjects, { subject, version }: Fields): void {
  if (typeof subject !== 'string' || !isNumber(version)) throw new Error('expected a subject and a version')
  for (const one of [...subjects.versions(subject)])
    if (one.version <= version) subjects.put({ ...one, isDeleted: true })
}

export function referencesOf(value: unknown): readonly SchemaReference[] {
  if (!Array.isArray(value)) return []
  return value.map((one: Fields) => {
    const { name, subject, version } = one
    if (typeof name !== 'string' || typeof subject !== 'string' || !isNumber(version))
      throw new Error('expected references with name, subject and version')
    return { name, subject, version }
  })
}

function objectOf(bytes: Buffer | null): Fields {
  const value: unknown = JSON.parse(bytes?.toString() ?? '')
  if (typeof value !== 'object' || value === null) throw new Error('expected a JSON object')
  return value as Fields
}

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31
