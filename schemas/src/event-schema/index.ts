export { avroType, isLong, type Type } from './avro-type.ts'
export { type JsonSchema, jsonSchemaOf, jsonValidator } from './json-validator.ts'
export { schemaIdentity } from './same-schema.ts'
export {
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
  DEFAULT_COMPATIBILITY,
  type EventSchema,
  MAX_SCHEMA_CHARACTERS,
  type NamedSchema,
  SCHEMA_TYPES,
  type SchemaType,
} from './schema.ts'
