/**
 * The vocabulary of the API tables. A codec reads and writes one type at every version; a table is a struct of them:
 *
 *     struct({ throttleTimeMs: since(3, int32), topics: array(struct({ name: string, … })) })
 *
 * A field that a version does not have reads as its default and is not written. Tagged fields stay raw, in the
 * member `tags` of their struct: decode and encode is the identity, whatever a newer peer put there.
 */
import { malformed, NO_TAGS, type Reader, type Tag } from './reader.ts'
import type { Writer } from './writer.ts'

export interface Codec<T> {
  /** First and last version that has it. */
  readonly since: number
  readonly until: number
  /** What a version without it means. */
  readonly absent: T
  read(reader: Reader, version: number, flexible: boolean): T
  write(writer: Writer, value: T, version: number, flexible: boolean): void
}

/** The decoded type of a codec. */
export type Of<C> = C extends Codec<infer T> ? T : never

type Shape = Readonly<Record<string, Codec<unknown>>>
export type StructOf<S extends Shape> = { -readonly [Name in keyof S]: Of<S[Name]> } & {
  tags: readonly Tag[]
}

const always = { since: 0, until: Number.POSITIVE_INFINITY }

export const bool: Codec<boolean> = {
  ...always,
  absent: false,
  read: (reader) => reader.int8() !== 0,
  write: (writer, value) => writer.int8(value ? 1 : 0),
}
export const int8: Codec<number> = {
  ...always,
  absent: 0,
  read: (reader) => reader.int8(),
  write: (writer, value) => writer.int8(value),
}
export const int16: Codec<number> = {
  ...always,
  absent: 0,
  read: (reader) => reader.int16(),
  write: (writer, value) => writer.int16(value),
}
export const uint16: Codec<number> = {
  ...always,
  absent: 0,
  read: (reader) => reader.uint16(),
  write: (writer, value) => writer.int16((value << 16) >> 16),
}
export const int32: Codec<number> = {
  ...always,
  absent: 0,
  read: (reader) => reader.int32(),
  write: (writer, value) => writer.int32(value),
}
export const int64: Codec<bigint> = {
  ...always,
  absent: 0n,
  read: (reader) => reader.int64(),
  write: (writer, value) => writer.int64(value),
}
export const float64: Codec<number> = {
  ...always,
  absent: 0,
  read: (reader) => reader.float64(),
  write: (writer, value) => writer.float64(value),
}
export const string: Codec<string> = {
  ...always,
  absent: '',
  read: (reader, _version, flexible) => reader.string(flexible),
  write: (writer, value, _version, flexible) => writer.nullableString(value, flexible),
}
/** Versions in which null is not allowed are not told apart: the broker judges that. */
export const nullableString: Codec<string | null> = {
  ...always,
  absent: null,
  read: (reader, _version, flexible) => reader.nullableString(flexible),
  write: (writer, value, _version, flexible) => writer.nullableString(value, flexible),
}
export const bytes: Codec<Buffer> = {
  ...always,
  absent: Buffer.alloc(0),
  read: (reader, _version, flexible) => {
    const value = reader.nullableBytes(flexible)
    if (value === null) throw malformed('bytes, null came')
    return value
  },
  write: (writer, value, _version, flexible) => writer.nullableBytes(value, flexible),
}
/** Record batches, and bytes that may be null. */
export const nullableBytes: Codec<Buffer | null> = {
  ...always,
  absent: null,
  read: (reader, _version, flexible) => reader.nullableBytes(flexible),
  write: (writer, value, _version, flexible) => writer.nullableBytes(value, flexible),
}

const UUID_BYTES = 16
/** A topic id where a topic is named, and the name of one that has an id, stand empty. */
export const NO_TOPIC_ID = Buffer.alloc(UUID_BYTES)
/** 16 bytes, as a view. */
export const uuid: Codec<Buffer> = {
  ...always,
  absent: NO_TOPIC_ID,
  read: (reader) => reader.uuid(),
  write: (writer, value) => writer.raw(value),
}

/** An array that may be null. */
export function nullableArray<T>(item: Codec<T>): Codec<readonly T[] | null> {
  return {
    ...always,
    absent: null,
    read(reader, version, flexible) {
      const count = reader.count(flexible)
      if (count === -1) return null
      const items: T[] = []
      for (let i = 0; i < count; i++) items.push(item.read(reader, version, flexible))
      return items
    },
    write(writer, items, version, flexible) {
      writer.length(items === null ? -1 : items.length, flexible, 4)
      if (items !== null) for (const each of items) item.write(writer, each, version, flexible)
    },
  }
}

export function array<T>(item: Codec<T>): Codec<readonly T[]> {
  const inner = nullableArray(item)
  return {
    ...always,
    absent: [],
    read(reader, version, flexible) {
      const items = inner.read(reader, version, flexible)
      if (items === null) throw malformed('an array, null came')
      return items
    },
    write: (writer, items, version, flexible) => inner.write(writer, items, version, flexible),
  }
}

/** A struct that may be null: a byte says so (KIP-893). */
export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    ...always,
    absent: null,
    read: (reader, version, flexible) => (reader.int8() < 0 ? null : inner.read(reader, version, flexible)),
    write(writer, value, version, flexible) {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) inner.write(writer, value, version, flexible)
    },
  }
}

export function struct<S extends Shape>(shape: S): Codec<StructOf<S>> {
  const fields = Object.entries(shape)
  return {
    ...always,
    // An absent struct does not occur: only arrays of them are versioned.
    absent: {
      ...Object.fromEntries(fields.map(([name, codec]) => [name, codec.absent])),
      tags: NO_TAGS,
    } as StructOf<S>,
    read(reader, version, flexible) {
      const value: Record<string, unknown> = {}
      for (const [name, codec] of fields) {
        const has = version >= codec.since && version <= codec.until
        value[name] = has ? codec.read(reader, version, flexible) : codec.absent
      }
      value.tags = flexible ? reader.tags() : NO_TAGS
      return value as StructOf<S>
    },
    write(writer, value, version, flexible) {
      const values: Readonly<Record<string, unknown>> = value
      for (const [name, codec] of fields) {
        if (version >= codec.since && version <= codec.until)
          codec.write(writer, values[name], version, flexible)
      }
      if (flexible) writer.tags(value.tags)
    },
  }
}

/** The field exists from this version on; before, it reads as `absent` (default: the type's own). */
export const since = <T>(version: number, codec: Codec<T>, absent: T = codec.absent): Codec<T> => ({
  ...codec,
  since: version,
  absent,
})

/** The field exists up to this version, inclusive. */
export const until = <T>(version: number, codec: Codec<T>): Codec<T> => ({ ...codec, until: version })
