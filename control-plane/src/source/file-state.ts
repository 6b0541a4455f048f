import { readFile } from 'node:fs/promises'
import {
  MAX_TEXT_BYTES,
  type PositionedFault,
  type ReadResource,
  readResources,
  resourceKey,
} from '@weft/schemas/resources'
import type { FoundFile } from './folders.ts'
import type { LastGood } from './last-good.ts'

/** A resource with what is asked of it again and again. */
export interface Entry {
  readonly read: ReadResource
  readonly key: string
  /** The completed resource as text: equal texts are equal resources. */
  readonly json: string
}

/** A file as it was last read. */
export interface FileState {
  readonly path: string
  readonly realPath: string
  readonly root: string
  /** Permission bits, kept when the file is rewritten. */
  readonly mode: number
  /** Changes whenever the file does. */
  readonly stamp: string
  /** What `entries` were read from: the file, or while that has faults its last good text. */
  readonly text: string
  readonly entries: readonly Entry[]
  /** Empty where `text` is what the file holds. */
  readonly faults: readonly PositionedFault[]
}

/**
 * A clock tick of the file system, generously: two writes of the same length within one tick cannot be told apart by
 * the time of change, so what is younger than this when it is read will be read again.
 */
const SETTLED_MS = 50

/** Reads a file, or returns `before` where it has not changed since. Never throws: what cannot be read is a fault. */
export async function readFileState(
  found: FoundFile,
  before: FileState | undefined,
  lastGood: LastGood,
): Promise<FileState> {
  const stamp = stampOf(found)
  if (before !== undefined && before.stamp === stamp && before.realPath === found.realPath) return before
  const base = {
    path: found.path,
    realPath: found.realPath,
    root: found.root,
    mode: Number(found.stats.mode & 0o777n),
    stamp,
  }

  const content = await readText(found)
  if (typeof content !== 'string') return withLastGood(base, [content], lastGood)
  if (before !== undefined && before.faults.length === 0 && before.text === content)
    return { ...before, ...base }
  const { resources, faults } = readResources(content, found.path)
  if (faults.length > 0) return withLastGood(base, faults, lastGood)
  await lastGood.keep(found.path, content)
  return { ...base, text: content, entries: resources.map(toEntry), faults: [] }
}

/** The state of a file that cannot even be listed now, as an earlier run last read it; undefined where none did. */
export function rememberedFileState(path: string, root: string, lastGood: LastGood): FileState {
  const base = { path, realPath: path, root, mode: 0o600, stamp: '' }
  const fault = fileFault(
    path,
    'a file that can be read',
    'none: its resources of before the restart stay in force',
  )
  return withLastGood(base, [fault], lastGood)
}

/** The state of a file whose resources stay although it is not right now. */
function withLastGood(
  base: Omit<FileState, 'text' | 'entries' | 'faults'>,
  faults: readonly PositionedFault[],
  lastGood: LastGood,
): FileState {
  const text = lastGood.get(base.path) ?? ''
  // The kept text was right by the rules of the version that kept it; after an upgrade it may not be: then nothing is in force.
  const { resources, faults: old } = readResources(text, base.path)
  return { ...base, text, entries: old.length === 0 ? resources.map(toEntry) : [], faults }
}

/** A resource with its key and its text, which is the same for whatever order its members were written in. */
export function toEntry(read: ReadResource): Entry {
  return { read, key: resourceKey(read.resource), json: JSON.stringify(read.resource, inOrder) }
}

const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** Inode, size and times: changes with every write, rename and swap of a symlink. */
function stampOf({ stats }: FoundFile): string {
  const settled = BigInt(Date.now() - SETTLED_MS) > stats.mtimeMs
  // A stamp that is unlike any other is never found unchanged.
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs, settled ? '' : Math.random()].join(
    ' ',
  )
}

async function readText({ path, stats }: FoundFile): Promise<string | PositionedFault> {
  // Opening a pipe would wait for a writer, for ever.
  if (!stats.isFile()) return fileFault(path, 'a regular file', 'something else')
  if (stats.size > BigInt(MAX_TEXT_BYTES))
    return fileFault(path, `at most ${MAX_TEXT_BYTES} bytes`, `${stats.size} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch (error) {
    const isEncoding = error instanceof TypeError
    return fileFault(
      path,
      isEncoding ? 'UTF-8' : 'a readable file',
      isEncoding ? 'other bytes' : error instanceof Error ? error.message : String(error),
    )
  }
}

/** A fault of a file or folder as a whole. */
export function fileFault(file: string, expected: string, came: string): PositionedFault {
  return { file, line: 1, column: 1, path: '', expected, came, message: `expected ${expected}, came ${came}` }
}
