/** What the schema of a topic does to events: JSON in and out, the Confluent wire format in the log. Loaded by the first topic that has a schema. */
import { MeshError } from '@weft/schemas/error'
import { avroType, jsonValidator, type Type } from '@weft/schemas/event-schema'
import type { TopicSchema } from '@weft/schemas/snapshot'
import { fromAvro } from './from-avro.ts'
import { formatJson, parseJson } from './json.ts'
import { toAvro } from './to-avro.ts'
import { UnreadableError } from './unreadable.ts'

/** The Confluent wire format: a zero, four bytes with the id of the schema, then the value. */
const MAGIC = 0
const HEADER_BYTES = 5

/** Each throws Error with what does not fit. */
interface Version {
  write(json: Buffer): Buffer
  read(value: Buffer): Buffer
  /** As `read`, where nobody wants to have it. */
  check(value: Buffer): void
}

type VersionEntry = TopicSchema['versions'][number]

export class TopicCodec {
  readonly #schema: TopicSchema
  readonly #entries: ReadonlyMap<number, VersionEntry>
  /** Compiled when the first value comes. */
  readonly #versions = new Map<number, Version>()

  constructor(schema: TopicSchema) {
    this.#schema = schema
    this.#entries = new Map(schema.versions.map((entry) => [entry.id, entry]))
  }

  get isBinary(): boolean {
    return this.#schema.type === 'AVRO'
  }

  /** JSON as it is stored, by the newest version; `which` names it in messages. Throws MeshError `schema_mismatch` with every fault and its path; `unavailable` where there is no version. */
  encode(json: Buffer, which: string): Buffer {
    const { subject, versions } = this.#schema
    const [newest] = versions
    if (newest === undefined)
      throw new MeshError('unavailable', `no version of the schema ${subject} is known here yet`)
    let value: Buffer
    try {
      value = this.#version(newest).write(json)
    } catch (error) {
      throw new MeshError(
        'schema_mismatch',
        `expected what fits the schema ${subject} (id ${newest.id}), ${which} does not: ${textOf(error)}`,
      )
    }
    const framed = Buffer.allocUnsafe(HEADER_BYTES + value.length)
    framed.writeUInt8(MAGIC, 0)
    framed.writeUInt32BE(newest.id, 1)
    value.copy(framed, HEADER_BYTES)
    return framed
  }

  isFramed(value: Buffer): boolean {
    return value.length >= HEADER_BYTES && value[0] === MAGIC
  }

  /** What is framed, as JSON. Throws UnreadableError. */
  decode(framed: Buffer): Buffer {
    return this.#ofVersion(framed, (version, value) => version.read(value))
  }

  /** Throws UnreadableError where `decode` would. */
  check(framed: Buffer): void {
    this.#ofVersion(framed, (version, value) => version.check(value))
  }

  /** Why the value of a Kafka client may not be in the topic, as far as is looked at; undefined where it may. */
  faultOf(value: Buffer): string | undefined {
    if (!this.isFramed(value))
      return `expected the Confluent wire format, with a schema of ${this.#schema.subject}`
    try {
      if (this.#schema.validation === 'full') this.check(value)
      else this.#entryOf(value)
      return undefined
    } catch (error) {
      return `the value ${textOf(error)}`
    }
  }

  #ofVersion<T>(framed: Buffer, use: (version: Version, value: Buffer) => T): T {
    const entry = this.#entryOf(framed)
    try {
      return use(this.#version(entry), framed.subarray(HEADER_BYTES))
    } catch (error) {
      throw new UnreadableError(`is not of the schema with id ${entry.id}: ${textOf(error)}`, false)
    }
  }

  #entryOf(framed: Buffer): VersionEntry {
    const id = framed.readUInt32BE(1)
    const entry = this.#entries.get(id)
    if (entry === undefined)
      throw new UnreadableError(
        `is of no version of ${this.#schema.subject} that is known here: id ${id}`,
        true,
      )
    return entry
  }

  #version(schema: VersionEntry): Version {
    let version = this.#versions.get(schema.id)
    if (version === undefined) {
      const { type } = this.#schema
      version =
        type === 'AVRO' ? avroVersion(avroType({ type, ...schema })) : jsonVersion({ type, ...schema })
      this.#versions.set(schema.id, version)
    }
    return version
  }
}

const avroVersion = (type: Type): Version => ({
  write(json) {
    const { value, faults } = toAvro(type, parseJson(json))
    if (faults.length > 0) throw new Error(faults.join('; '))
    return type.toBuffer(value)
  },
  read: (value) => formatJson(fromAvro(type, value)),
  check: (value) => void fromAvro(type, value),
})

const MAX_FAULTS = 20

/** The bytes stay as they came: nothing is written that its publisher has not. */
function jsonVersion(schema: Parameters<typeof jsonValidator>[0]): Version {
  const validate = jsonValidator(schema)
  const checked = (json: Buffer): Buffer => {
    if (validate(parseJson(json, 'numbers'))) return json
    const faults = (validate.errors ?? []).slice(0, MAX_FAULTS)
    throw new Error(
      faults
        .map(({ instancePath, message }) => `$${instancePath.replaceAll('/', '.')}: ${message ?? ''}`)
        .join('; '),
    )
  }
  return { write: checked, read: checked, check: (value) => void checked(value) }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
