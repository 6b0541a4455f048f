/**
 * A change of several files that a crash must not cut in two. Each rename is whole by itself, but not all of them:
 *   write journal (durable) → change file 1 → change file 2 → remove journal
 * Killed before the journal is durable: nothing happened. Killed after: the next start finds it and does the rest.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@weft/schemas/node/log'
import { isCode, removeFile, replaceFile } from './atomic-file.ts'

export interface FileChange {
  /** Not a symlink. */
  readonly path: string
  /** What stands there now; undefined where nothing does. */
  readonly before: string | undefined
  /** What will stand there; undefined takes the file away. */
  readonly after: string | undefined
  readonly mode: number
}

type JournalEntry = Omit<FileChange, 'before'> & { readonly beforeHash: string | undefined }

const journalPath = (stateDir: string): string => join(stateDir, 'journal.json')

/** Makes all changes or, throwing where the disk refuses, none; after a crash too. */
export async function changeFiles(stateDir: string, changes: readonly FileChange[]): Promise<void> {
  const path = journalPath(stateDir)
  const [only, ...more] = changes
  if (only === undefined) return
  if (more.length === 0) return await change(only)
  const entries = changes.map(({ before, ...rest }) => ({ ...rest, beforeHash: hash(before) }))
  await replaceFile(path, JSON.stringify(entries))
  const done: FileChange[] = []
  try {
    for (const entry of changes) {
      await change(entry)
      done.push(entry)
    }
  } catch (error) {
    // A disk that is full, a folder that may not be written: take back what was done, so that all or nothing holds here too.
    for (const entry of done) await change({ ...entry, after: entry.before })
    await removeFile(path)
    throw error
  }
  await removeFile(path)
}

/** Completes what a crash has cut; a file that somebody has edited since is left alone, and said. */
export async function completeJournal(stateDir: string, log: Log): Promise<void> {
  const path = journalPath(stateDir)
  const text = await readIfThere(path)
  if (text === undefined) return
  try {
    const entries = JSON.parse(text) as readonly JournalEntry[]
    for (const entry of entries) await complete(entry, log)
    await removeFile(path)
    log.info({ files: entries.map((entry) => entry.path) }, 'completed a change that a crash had cut')
  } catch (error) {
    // The mesh does not stay down for it: what the files say now is in force, and the next start tries again.
    log.error({ error, path }, 'cannot complete a change that a crash had cut')
  }
}

async function complete(entry: JournalEntry, log: Log): Promise<void> {
  const now = await readIfThere(entry.path)
  if (hash(now) === entry.beforeHash) await change(entry)
  else if (now !== entry.after)
    log.warn({ file: entry.path }, 'left a file as it is: it was edited after a crash cut a change of it')
}

async function change({ path, after, mode }: Pick<FileChange, 'path' | 'after' | 'mode'>): Promise<void> {
  if (after === undefined) await removeFile(path)
  else await replaceFile(path, after, mode)
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

const hash = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : createHash('sha256').update(text).digest('hex')
