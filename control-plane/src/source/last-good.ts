import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@weft/schemas/node/log'
import { removeFile, replaceFile } from './atomic-file.ts'

/**
 * The last text of each file that was right, on disk: a file with a fault keeps its resources in force over a
 * restart too. Otherwise a typing error and a restart together would take a policy away.
 */
export interface LastGood {
  paths(): readonly string[]
  get(path: string): string | undefined
  /** Never throws: a disk that is full must not keep a policy from taking effect now. */
  keep(path: string, text: string): Promise<void>
  /** Drops every file but these. */
  retain(paths: ReadonlySet<string>): Promise<void>
}

/** Opens `<stateDir>/last-good`. An entry that cannot be read is dropped: it is only ever written whole. */
export async function openLastGood(stateDir: string, log: Log): Promise<LastGood> {
  const folder = join(stateDir, 'last-good')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const texts = new Map<string, string>()
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.json')) continue
    const entry = parse(await readFile(join(folder, name), 'utf8'))
    if (entry !== undefined) texts.set(entry.path, entry.text)
  }
  const fileOf = (path: string) => join(folder, `${createHash('sha256').update(path).digest('hex')}.json`)

  return {
    paths: () => [...texts.keys()],
    get: (path) => texts.get(path),
    keep: async (path, text) => {
      if (texts.get(path) === text) return
      texts.set(path, text)
      try {
        await replaceFile(fileOf(path), JSON.stringify({ path, text }))
      } catch (error) {
        log.error({ path, error }, 'cannot keep the text of a file for the next start')
      }
    },
    retain: async (paths) => {
      for (const path of [...texts.keys()]) {
        if (paths.has(path)) continue
        await removeFile(fileOf(path))
        texts.delete(path)
      }
    },
  }
}

function parse(text: string): { readonly path: string; readonly text: string } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('path' in value) || !('text' in value))
      return undefined
    const { path, text: content } = value
    return typeof path === 'string' && typeof content === 'string' ? { path, text: content } : undefined
  } catch {
    return undefined
  }
}
