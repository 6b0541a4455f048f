/** What can be asked of the registry and changed in it, by the rules of the Confluent Schema Registry. */
import type { CompatibilityLevel } from '@weft/schemas/event-schema'
import { checkSchema, incompatibilities } from './compatibility.ts'
import { RegistryError } from './errors.ts'
import { type LogRecord, levelRecord, removalRecord, versionRecord } from './log-records.ts'
import { isSameSchema, type SchemaText, type SchemaVersion, type Subjects } from './subjects.ts'

/** What a change comes to: `records` are written, all or none, and then `result` is told. */
export interface Change<T> {
  readonly records: readonly LogRecord[]
  readonly result: T
}

/** The log of schemas, as far as it has been read. */
export interface SchemaStore {
  /** Rejects with RegistryError 50003 where the log was never read. `fresh`: up to where it ends now, as far as the broker answers. */
  read(options?: { readonly fresh: boolean }): Promise<Subjects>
  /** `decide` sees all that was ever written, and nothing is written in between; it may run again. Rejects with what it throws. */
  write<T>(decide: (subjects: Subjects) => Change<T>): Promise<T>
}

/** A version, `latest`, or -1 for it. */
export type WhichVersion = string

export class SchemaRegistry {
  readonly #store: SchemaStore

  constructor(store: SchemaStore) {
    this.#store = store
  }

  /** What is not found may have been written by another instance a moment ago: it is looked for once more. */
  async ask<T>(question: (subjects: Subjects) => T): Promise<T> {
    try {
      return question(await this.#store.read())
    } catch (error) {
      if (!(error instanceof RegistryError) || error.status !== 404) throw error
      return question(await this.#store.read({ fresh: true }))
    }
  }

  /** The version that has this schema, a new one where none does. */
  register(subject: string, schema: SchemaText): Promise<SchemaVersion> {
    return this.#store.write((subjects) => {
      const known = subjects.live(subject).find((one) => isSameSchema(one, schema))
      if (known !== undefined) return { records: [], result: known }
      const faults = incompatible(subjects, subject, schema)
      if (faults.length > 0) throw new RegistryError(409, faults.join('; '))
      const version: SchemaVersion = {
        ...schema,
        subject,
        version: (subjects.versions(subject).at(-1)?.version ?? 0) + 1,
        id: subjects.idFor(schema),
        isDeleted: false,
      }
      return { records: [versionRecord(version)], result: version }
    })
  }

  /** Softly, or what is deleted so already for good. Resolves to the numbers of the versions. */
  deleteSubject(subject: string, isPermanent: boolean): Promise<readonly number[]> {
    return this.#store.write((subjects) => {
      const all = subjects.versions(subject)
      const live = subjects.live(subject)
      if (all.length === 0) throw new RegistryError(40401, subject)
      if (isPermanent && live.length > 0) throw new RegistryError(40405, subject)
      if (!isPermanent && live.length === 0) throw new RegistryError(40404, subject)
      const gone = isPermanent ? all : live
      for (const version of gone) checkUnreferenced(subjects, version)
      const ended = subjects.ownLevel(subject) === undefined ? [] : [levelRecord(subject, undefined)]
      return {
        records: [...gone.map(isPermanent ? removalRecord : softly), ...(isPermanent ? [] : ended)],
        result: gone.map(({ version }) => version),
      }
    })
  }

  deleteVersion(subject: string, which: WhichVersion, isPermanent: boolean): Promise<number> {
    return this.#store.write((subjects) => {
      const found = toDelete(subjects, { subject, which, withDeleted: isPermanent })
      const name = String(found.version)
      if (isPermanent && !found.isDeleted) throw new RegistryError(40407, name)
      if (!isPermanent && found.isDeleted) throw new RegistryError(40406, name)
      checkUnreferenced(subjects, found)
      return { records: [isPermanent ? removalRecord(found) : softly(found)], result: found.version }
    })
  }

  /** `subject` undefined: of all that have none of their own; `level` undefined: no longer set. Resolves to the level that was set before. */
  setLevel(subject: string | undefined, level: CompatibilityLevel | undefined): Promise<CompatibilityLevel> {
    return this.#store.write((subjects) => {
      const before = subject === undefined ? subjects.level : subjects.ownLevel(subject)
      if (before === undefined && level === undefined) throw new RegistryError(40408, subject)
      return { records: [levelRecord(subject, level)], result: before ?? subjects.level }
    })
  }
}

/** What is deleted already is found too, to say so. */
function toDelete(subjects: Subjects, query: VersionQuery): SchemaVersion {
  try {
    return findVersion(subjects, query)
  } catch (error) {
    if (query.which === 'latest' || !(error instanceof RegistryError)) throw error
    return findVersion(subjects, { ...query, withDeleted: true })
  }
}

const softly = (version: SchemaVersion): LogRecord => versionRecord({ ...version, isDeleted: true })

function checkUnreferenced(subjects: Subjects, { subject, version }: SchemaVersion): void {
  if (subjects.referringTo({ subject, version }).length > 0)
    throw new RegistryError(42206, `${subject} version ${version}`)
}

/** Why the schema cannot be the next version of the subject, or after those of `earlier`. Throws RegistryError 42201 where it is no schema. */
export function incompatible(
  subjects: Subjects,
  subject: string,
  schema: SchemaText,
  earlier: readonly SchemaVersion[] = subjects.live(subject),
): readonly string[] {
  const next = usable(subjects, schema)
  const resolved = earlier.map((version) => ({ ...subjects.resolve(version), version: version.version }))
  return incompatibilities(subjects.levelOf(subject), next, resolved)
}

/** With what it refers to. Throws RegistryError 42201. */
export function usable(subjects: Subjects, schema: SchemaText): ReturnType<Subjects['resolve']> {
  const resolved = subjects.resolve(schema)
  try {
    checkSchema(resolved)
  } catch (error) {
    throw new RegistryError(42201, error instanceof Error ? error.message : String(error))
  }
  return resolved
}

export interface VersionQuery {
  readonly subject: string
  readonly which: WhichVersion
  readonly withDeleted: boolean
}

/** Throws RegistryError 40401, 40402, or 42202 for what is no version. */
export function findVersion(
  subjects: Subjects,
  { subject, which, withDeleted }: VersionQuery,
): SchemaVersion {
  const number = which === 'latest' || which === '-1' ? undefined : versionNumber(which)
  const versions = withDeleted ? subjects.versions(subject) : subjects.live(subject)
  if (versions.length === 0) throw new RegistryError(40401, subject)
  const found = number === undefined ? versions.at(-1) : versions.find(({ version }) => version === number)
  if (found === undefined) throw new RegistryError(40402, which)
  return found
}

function versionNumber(which: string): number {
  const number = /^\d{1,10}$/.test(which) ? Number(which) : 0
  if (number < 1 || number >= 2 ** 31) throw new RegistryError(42202, which.slice(0, 40))
  return number
}
