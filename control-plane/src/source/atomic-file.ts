import { randomUUID } from 'node:crypto'
import { open, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const TEMPORARY_PREFIX = '.weft-'
const TEMPORARY_SUFFIX = '.tmp'

/** Is it a file that a killed process of ours may have left? Hidden, so that no scan reads it. */
export const isTemporary = (name: string): boolean =>
  name.startsWith(TEMPORARY_PREFIX) && name.endsWith(TEMPORARY_SUFFIX)

/**
 * Replaces or creates a file. Whoever reads it, kill -9 and loss of power included, finds the old content or the new
 * one, never a part; when this resolves the new one is durable.
 */
export async function replaceFile(path: string, content: string, mode = 0o600): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `${TEMPORARY_PREFIX}${randomUUID()}${TEMPORARY_SUFFIX}`)
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      // The mode given to open passes through the umask; the file that is replaced may have been wider.
      await file.chmod(mode)
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
}

/** Removes a file durably. One that is not there is fine. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
    return
  }
  await syncFolder(dirname(path))
}

/** A name is only durable when its folder is written, too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** True for an error of the operating system with this code, such as ENOENT. */
export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
