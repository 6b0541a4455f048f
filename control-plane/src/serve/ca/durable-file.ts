import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const SECRET_FILE_MODE = 0o600
const SECRET_FOLDER_MODE = 0o700
const TEMPORARY = '.new-'
/** Writing one takes milliseconds. */
const ABANDONED_AFTER_MS = 60_000

/** Makes the folder with mode 0700 if it is missing, clears away what a killed process left half written, and lists the rest. */
export async function openSecretFolder(folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true, mode: SECRET_FOLDER_MODE })
  await syncFolder(dirname(folder))
  const names = await readdir(folder)
  for (const name of names.filter((name) => name.startsWith(TEMPORARY))) {
    const path = join(folder, name)
    // Another process that opens the same folder just now may be about to link a younger one.
    if (Date.now() - (await modifiedMs(path)) > ABANDONED_AFTER_MS) await rm(path, { force: true })
  }
  return names.filter((name) => !name.startsWith(TEMPORARY))
}

/**
 * Creates a file of mode 0600 whole or not at all; when this resolves it outlives kill -9 and loss of power.
 * False where the file was there already: of two that create the same name at once, in one process or in
 * two, exactly one gets true (link, unlike rename, does not replace).
 */
export async function createDurably(path: string, content: string): Promise<boolean> {
  const folder = dirname(path)
  const temporary = join(folder, `${TEMPORARY}${randomUUID()}`)
  try {
    await writeSynced(temporary, content)
    await link(temporary, path)
    await syncFolder(folder)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

/** The present for a file that is gone by now: nothing is left to clear away. */
const modifiedMs = (path: string): Promise<number> =>
  stat(path).then(
    (found) => found.mtimeMs,
    () => Date.now(),
  )

async function writeSynced(path: string, content: string): Promise<void> {
  await using file = await open(path, 'wx', SECRET_FILE_MODE)
  await file.writeFile(content)
  await file.sync()
}

/** A new name is only durable when its folder is written, too. */
async function syncFolder(folder: string): Promise<void> {
  await using file = await open(folder, 'r')
  await file.sync()
}

/** True for an error of the operating system with this code, such as ENOENT. */
const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
