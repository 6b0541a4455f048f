/** Where the schemas of topics are kept: in the registry of this control plane, or in another that is reached by its URL. */
import type { CompatibilityLevel, EventSchema } from '@weft/schemas/event-schema'
import { SchemaRegistry } from './registry.ts'
import type { SchemaLog } from './schema-log.ts'
import type { Subjects } from './subjects.ts'

export interface KnownVersion extends EventSchema {
  readonly id: number
  readonly version: number
}

export interface SchemaSource {
  /** Those that are not deleted, oldest first, as far as they are known now. */
  versions(subject: string): readonly KnownVersion[]
  /** The same, asked for anew. Rejects with RegistryError where they cannot be had. */
  fresh(subject: string): Promise<readonly KnownVersion[]>
  /** Registers it where it is not. Rejects with RegistryError: 409 where it is not compatible, 422 where it is none, 500 where it cannot be stored now. */
  register(subject: string, schema: EventSchema): Promise<void>
  setLevel(subject: string, level: CompatibilityLevel): Promise<void>
  onChange(listener: () => void): () => void
}

export class OwnSchemas implements SchemaSource {
  readonly #log: SchemaLog
  readonly #registry: SchemaRegistry

  constructor(log: SchemaLog) {
    this.#log = log
    this.#registry = new SchemaRegistry(log)
  }

  versions(subject: string): readonly KnownVersion[] {
    const subjects = this.#log.current()
    return subjects === undefined ? [] : known(subjects, subject)
  }

  async fresh(subject: string): Promise<readonly KnownVersion[]> {
    return known(await this.#log.read(), subject)
  }

  async register(subject: string, { type, text }: EventSchema): Promise<void> {
    const schema = { type, text, references: [] }
    const subjects = await this.#log.read()
    // Most often it is: nobody has to be fenced to find that out.
    if (subjects.has(subject, schema)) return
    await this.#registry.register(subject, schema)
  }

  async setLevel(subject: string, level: CompatibilityLevel): Promise<void> {
    if ((await this.#log.read()).ownLevel(subject) !== level) await this.#registry.setLevel(subject, level)
  }

  onChange(listener: () => void): () => void {
    return this.#log.onChange(listener)
  }
}

const known = (subjects: Subjects, subject: string): readonly KnownVersion[] =>
  subjects.live(subject).map((one) => ({ ...subjects.resolve(one), id: one.id, version: one.version }))
