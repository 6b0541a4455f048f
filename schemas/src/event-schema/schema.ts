/** Schemas of events, as the Confluent Schema Registry knows them. */

export const SCHEMA_TYPES = ['AVRO', 'JSON'] as const
export type SchemaType = (typeof SCHEMA_TYPES)[number]

/** A schema and the texts of those that it refers to, each after what it refers to itself. */
export interface EventSchema {
  readonly type: SchemaType
  readonly text: string
  readonly references?: readonly NamedSchema[]
}

export interface NamedSchema {
  /** Avro: not looked at, since schemas name themselves. JSON Schema: the URI by which it is referred to. */
  readonly name: string
  readonly text: string
}

/** The names in Kafka's way of BACKWARD and its kin: may the new schema read the old data, the old the new, and how far back. */
export const COMPATIBILITY_LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const
export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number]

/** That of the Confluent registry: consumers can be brought up to date before producers. */
export const DEFAULT_COMPATIBILITY: CompatibilityLevel = 'BACKWARD'

/** The largest text that is taken: schemas of people have some kilobytes. */
export const MAX_SCHEMA_CHARACTERS = 512 * 1024
