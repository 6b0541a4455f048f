/** All that the log of schemas says, in memory. Records in, answers out; no I/O. */
import {
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
  DEFAULT_COMPATIBILITY,
  type EventSchema,
  type NamedSchema,
  SCHEMA_TYPES,
  type SchemaType,
  schemaIdentity,
} from '@weft/schemas/event-schema'
import { RegistryError } from './errors.ts'

/** What a schema says it needs of another. */
export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** A schema as it is sent and stored. */
export interface SchemaText {
  readonly type: SchemaType
  readonly text: string
  readonly references: readonly SchemaReference[]
}

export interface SchemaVersion extends SchemaText {
  readonly subject: string
  /** From 1, in its subject. */
  readonly version: number
  /** Of the text: two subjects with the same text share it. */
  readonly id: number
  /** Softly: not used any more, and still there for those who have its id. */
  readonly isDeleted: boolean
}

export class Subjects {
  readonly #versions = new Map<string, SchemaVersion[]>()
  readonly #byId = new Map<number, Set<SchemaVersion>>()
  readonly #idOfText = new Map<string, number>()
  readonly #levels = new Map<string, CompatibilityLevel>()
  #level: CompatibilityLevel = DEFAULT_COMPATIBILITY
  #lastId = 0

  // What the log says

  put(version: SchemaVersion): void {
    this.remove(version)
    const versions = this.#versions.get(version.subject) ?? []
    versions.push(version)
    versions.sort((a, b) => a.version - b.version)
    this.#versions.set(version.subject, versions)
    const sharing = this.#byId.get(version.id) ?? new Set()
    this.#byId.set(version.id, sharing.add(version))
    this.#idOfText.set(textKey(version), version.id)
    this.reserve(version.id)
  }

  /** Never given again, also where the one that has it is removed: records carry it. */
  reserve(id: number): void {
    this.#lastId = Math.max(this.#lastId, id)
  }

  remove({ subject, version }: Pick<SchemaVersion, 'subject' | 'version'>): void {
    const versions = this.#versions.get(subject)
    const index = versions?.findIndex((one) => one.version === version) ?? -1
    const old = versions?.[index]
    if (versions === undefined || old === undefined) return
    versions.splice(index, 1)
    if (versions.length === 0) this.#versions.delete(subject)
    const sharing = this.#byId.get(old.id)
    sharing?.delete(old)
    if (sharing?.size !== 0) return
    this.#byId.delete(old.id)
    this.#idOfText.delete(textKey(old))
  }

  /** `subject` undefined: of all that have none of their own. `level` undefined: no longer set. */
  setLevel(subject: string | undefined, level: CompatibilityLevel | undefined): void {
    if (subject === undefined) this.#level = level ?? DEFAULT_COMPATIBILITY
    else if (level === undefined) this.#levels.delete(subject)
    else this.#levels.set(subject, level)
  }

  // What is asked

  names(): readonly string[] {
    return [...this.#versions.keys()].toSorted()
  }

  /** Oldest first; deleted ones among them. */
  versions(subject: string): readonly SchemaVersion[] {
    return this.#versions.get(subject) ?? []
  }

  live(subject: string): readonly SchemaVersion[] {
    return this.versions(subject).filter(({ isDeleted }) => !isDeleted)
  }

  has(subject: string, schema: SchemaText): boolean {
    return this.live(subject).some((one) => isSameSchema(one, schema))
  }

  withId(id: number): readonly SchemaVersion[] {
    return [...(this.#byId.get(id) ?? [])]
  }

  /** That of the same text wherever it is registered, or the next that nobody has. */
  idFor(schema: SchemaText): number {
    return this.#idOfText.get(textKey(schema)) ?? this.#lastId + 1
  }

  get lastId(): number {
    return this.#lastId
  }

  ownLevel(subject: string): CompatibilityLevel | undefined {
    return this.#levels.get(subject)
  }

  get level(): CompatibilityLevel {
    return this.#level
  }

  levelOf(subject: string): CompatibilityLevel {
    return this.#levels.get(subject) ?? this.#level
  }

  /** Those that refer to this version and are not deleted. */
  referringTo({ subject, version }: Pick<SchemaVersion, 'subject' | 'version'>): readonly SchemaVersion[] {
    return [...this.#versions.values()]
      .flat()
      .filter(
        ({ references, isDeleted }) =>
          !isDeleted && references.some((one) => one.subject === subject && one.version === version),
      )
  }

  /** The schema with the texts that it refers to, each after what it refers to itself. Throws RegistryError 42201 where one is missing. */
  resolve({ type, text, references }: SchemaText): EventSchema {
    const named = new Map<string, NamedSchema>()
    const add = (all: readonly SchemaReference[], depth: number): void => {
      if (depth > MAX_REFERENCE_DEPTH)
        throw new RegistryError(42201, `expected references at most ${MAX_REFERENCE_DEPTH} deep`)
      for (const { name, subject, version } of all) {
        const found = this.versions(subject).find((one) => one.version === version)
        if (found === undefined)
          throw new RegistryError(
            42201,
            `No schema reference found for subject "${subject}" and version ${version}`,
          )
        add(found.references, depth + 1)
        if (!named.has(`${subject}/${version}`))
          named.set(`${subject}/${version}`, { name, text: found.text })
      }
    }
    add(references, 0)
    return { type, text, ...(named.size > 0 && { references: [...named.values()] }) }
  }
}

const MAX_REFERENCE_DEPTH = 16

const textKey = ({ type, text, references }: SchemaText): string =>
  `${type} ${schemaIdentity(text)} ${references.map(({ name, subject, version }) => JSON.stringify([name, subject, version])).join()}`

export const isSameSchema = (a: SchemaText, b: SchemaText): boolean => textKey(a) === textKey(b)

export const isSchemaType = (value: unknown): value is SchemaType =>
  SCHEMA_TYPES.includes(value as SchemaType)
export const isLevel = (value: unknown): value is CompatibilityLevel =>
  COMPATIBILITY_LEVELS.includes(value as CompatibilityLevel)
