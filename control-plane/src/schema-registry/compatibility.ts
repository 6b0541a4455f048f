import {
  avroType,
  type CompatibilityLevel,
  type EventSchema,
  jsonSchemaOf,
  jsonValidator,
} from '@weft/schemas/event-schema'
import { jsonSchemaFaults } from './json-schema-subset.ts'

/** Says what is wrong with a schema, by throwing Error; nothing where it can be used. */
export function checkSchema(schema: EventSchema): void {
  if (schema.type === 'AVRO') avroType(schema)
  else jsonValidator(schema)
}

/**
 * Why `next` does not go with what is there, by `level`; empty where it does. `earlier`: the versions in force, oldest first.
 * BACKWARD: `next` reads what the latest wrote; FORWARD: the latest reads what `next` writes; FULL: both; TRANSITIVE: all, not the latest alone.
 */
export function incompatibilities(
  level: CompatibilityLevel,
  next: EventSchema,
  earlier: readonly (EventSchema & { readonly version: number })[],
): readonly string[] {
  if (level === 'NONE') return []
  const compared = level.endsWith('_TRANSITIVE') ? earlier : earlier.slice(-1)
  const [kind = level] = level.split('_')
  return compared.toReversed().flatMap((old) => {
    const backward = kind === 'FORWARD' ? [] : readingFaults(next, old)
    const forward = kind === 'BACKWARD' ? [] : readingFaults(old, next)
    return [
      ...backward.map((fault) => `the new schema cannot read data of version ${old.version}: ${fault}`),
      ...forward.map((fault) => `version ${old.version} cannot read data of the new schema: ${fault}`),
    ]
  })
}

function readingFaults(reader: EventSchema, writer: EventSchema): readonly string[] {
  if (reader.type !== writer.type) return [`one is ${reader.type}, the other ${writer.type}`]
  return reader.type === 'AVRO'
    ? avroFaults(reader, writer)
    : jsonSchemaFaults(jsonSchemaOf(reader), jsonSchemaOf(writer))
}

/** Avro 1.12, "Schema Resolution". The first fault is all that is told. */
function avroFaults(reader: EventSchema, writer: EventSchema): readonly string[] {
  const [readerType, writerType] = [avroType(reader), avroType(writer)]
  try {
    readerType.createResolver(writerType)
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}
